;; f6 c1 01 0f 84 08 00 00 00 48 ff c0 e9 03 00 00 00 48 ff cb 48 ff c9 0f 85 e3 ff ff ff f4
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
  i64.load offset=cpu.rax
  local.set $rax
  i32.const 0
  i64.load offset=cpu.rcx
  local.set $rcx
  i32.const 0
  i64.load offset=cpu.rbx
  local.set $rbx
  loop $label
   local.get $fuel
   i32.const 7
   i32.sub
   i32.const 0
   i32.const 0
   i32.load offset=cpu.requests
   i32.sub
   i32.or
   i32.const 0
   i32.ge_s
   i32.eqz
   br_if $block
   block $block3
    block $block2
     block $block1
      local.get $entry
      br_table $block1 $block2 $block3
     end
     local.get $fuel
     i32.const 2
     i32.sub
     local.set $fuel
     local.get $rax
     i64.const 1
     i64.add
     local.set $15
     local.get $15
     local.set $rax
     local.get $15
     local.set $scratch
     i32.const 2
     local.get $flag_op
     local.get $flag_dst
     local.get $flag_src
     call $condition
     i64.extend_i32_u
     local.set $flag_src
     local.get $scratch
     local.set $flag_dst
     i32.const 27
     local.set $flag_op
     br $block2
    end
    local.get $fuel
    i32.const 2
    i32.sub
    local.set $fuel
    local.get $rcx
    i64.const 1
    i64.sub
    local.set $15
    local.get $15
    local.set $rcx
    local.get $15
    local.set $scratch_17
    i32.const 2
    local.get $flag_op
    local.get $flag_dst
    local.get $flag_src
    call $condition
    i64.extend_i32_u
    local.set $flag_src
    local.get $scratch_17
    local.set $flag_dst
    i32.const 31
    local.set $flag_op
    local.get $flag_dst
    i64.eqz
    i32.eqz
    br_if $block3
    i32.const 29
    local.set $position
    i32.const 0
    local.set $left
    br $block
   end
   block $block4
    local.get $fuel
    i32.const 2
    i32.sub
    local.set $fuel
    local.get $rcx
    i32.wrap_i64
    i32.const 255
    i32.and
    i32.const 1
    i32.and
    i64.extend_i32_u
    local.set $flag_dst
    i32.const 20
    local.set $flag_op
    local.get $flag_dst
    i32.wrap_i64
    i32.const 24
    i32.shl
    i32.eqz
    br_if $block4
    i32.const 9
    local.set $position
    i32.const 0
    local.set $left
    i32.const 0
    local.set $entry
    br $label
   end
   local.get $fuel
   i32.const 1
   i32.sub
   local.set $fuel
   local.get $rbx
   i64.const 1
   i64.sub
   local.set $15
   local.get $15
   local.set $rbx
   local.get $15
   local.set $scratch_18
   i32.const 0
   i64.extend_i32_u
   local.set $flag_src
   local.get $scratch_18
   local.set $flag_dst
   i32.const 31
   local.set $flag_op
   i32.const 20
   local.set $position
   i32.const 0
   local.set $left
   i32.const 1
   local.set $entry
   br $label
  end
  unreachable
 end
 unreachable
end
i32.const 0
local.get $rax
i64.store offset=cpu.rax
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
