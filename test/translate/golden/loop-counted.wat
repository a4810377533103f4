;; 48 01 cb 48 ff c9 0f 85 f4 ff ff ff f4
block $block
 block
  i32.const 0
  i64.load offset=cpu.rip
  local.get $base
  i64.sub
  i32.wrap_i64
  local.set $position
  i32.const 0
  i32.load offset=cpu.fuel
  local.set $fuel
  i32.const -1
  local.set $flag_op
  global.get $tlb
  local.set $tlb
  i32.const 0
  i64.load offset=cpu.rcx
  local.set $rcx
  i32.const 0
  i64.load offset=cpu.rbx
  local.set $rbx
  loop $label
   local.get $fuel
   i32.const 3
   i32.sub
   local.set $fuel
   local.get $rcx
   local.set $14
   local.get $rbx
   local.get $14
   i64.add
   local.set $15
   local.get $15
   local.set $rbx
   local.get $15
   local.set $scratch
   local.get $14
   local.set $flag_src
   local.get $scratch
   local.set $flag_dst
   i32.const 7
   local.set $flag_op
   local.get $rcx
   i64.const 1
   i64.sub
   local.set $14
   local.get $14
   local.set $rcx
   local.get $14
   local.set $scratch_17
   local.get $flag_dst
   local.get $flag_src
   i64.lt_u
   i64.extend_i32_u
   local.set $flag_src
   local.get $scratch_17
   local.set $flag_dst
   i32.const 31
   local.set $flag_op
   local.get $flag_dst
   i64.eqz
   i32.eqz
   if
    i32.const 0
    local.set $position
    i32.const 0
    local.set $left
    local.get $fuel
    i32.const 3
    i32.sub
    i32.const 0
    i32.const 0
    i32.load offset=cpu.requests
    i32.sub
    i32.or
    i32.const 0
    i32.ge_s
    br_if $label
    br $block
   end
   i32.const 12
   local.set $position
   i32.const 0
   local.set $left
   br $block
  end
  unreachable
 end
 unreachable
end
i32.const 0
local.get $rcx
i64.store offset=cpu.rcx
i32.const 0
local.get $rbx
i64.store offset=cpu.rbx
i32.const 0
local.get $fuel
local.get $left
i32.add
i32.store offset=cpu.fuel
i32.const 0
local.get $base
local.get $position
i64.extend_i32_s
i64.add
i64.store offset=cpu.rip
;; the flags go back as in mov-register.wat
