;; 48 c7 c6 03 00 00 00 48 01 f3 48 ff ce 0f 85 f4 ff ff ff 48 ff c9 0f 85 e4 ff ff ff f4
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
  i32.const 0
  i64.load offset=cpu.rsi
  local.set $rsi
  loop $label1
   local.get $fuel
   i32.const 6
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
   block $block2
    block $block1
     local.get $entry
     br_table $block1 $block2
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
    i32.const 31
    local.set $flag_op
    local.get $flag_dst
    i64.eqz
    i32.eqz
    br_if $block2
    i32.const 28
    local.set $position
    i32.const 0
    local.set $left
    br $block
   end
   local.get $fuel
   i32.const 1
   i32.sub
   local.set $fuel
   i64.const 3
   local.set $rsi
   loop $label
    local.get $fuel
    i32.const 3
    i32.sub
    local.set $fuel
    local.get $rsi
    local.set $15
    local.get $rbx
    local.get $15
    i64.add
    local.set $16
    local.get $16
    local.set $rbx
    local.get $16
    local.set $scratch_18
    local.get $15
    local.set $flag_src
    local.get $scratch_18
    local.set $flag_dst
    i32.const 7
    local.set $flag_op
    local.get $rsi
    i64.const 1
    i64.sub
    local.set $15
    local.get $15
    local.set $rsi
    local.get $15
    local.set $scratch_19
    local.get $flag_dst
    local.get $flag_src
    i64.lt_u
    i64.extend_i32_u
    local.set $flag_src
    local.get $scratch_19
    local.set $flag_dst
    i32.const 31
    local.set $flag_op
    local.get $flag_dst
    i64.eqz
    i32.eqz
    if
     i32.const 7
     local.set $position
     i32.const 0
     local.set $left
     local.get $fuel
     i32.const 6
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
    i32.const 19
    local.set $position
    i32.const 0
    local.set $left
    i32.const 0
    local.set $entry
    br $label1
   end
   unreachable
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
local.get $rsi
i64.store offset=cpu.rsi
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
