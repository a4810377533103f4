;; d9 e8 d8 c0 f4
block $block1
 block $block
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
  local.get $fuel
  i32.const 3
  i32.sub
  local.set $fuel
  call $helper
  local.set $scratch
  i32.const 0
  local.set $position
  i32.const 3
  local.set $left
  local.get $scratch
  br_if $block
  i32.const 0
  call $helper
  i32.const 0
  local.get $base
  i64.const 0
  i64.add
  i64.store offset=2097296
  i32.const -2135948824
  call $helper
  call $helper
  local.set $scratch_14
  i32.const 2
  local.set $position
  i32.const 2
  local.set $left
  local.get $scratch_14
  br_if $block
  i32.const 0
  i32.const 0
  i32.const 0
  i32.const 0
  call $helper
  i32.const 0
  local.get $base
  i64.const 0
  i64.add
  i64.store offset=2097296
  i32.const -2135945024
  call $helper
  local.get $flag_op
  local.get $flag_dst
  local.get $flag_src
  call $store_flags
  i32.const -1
  local.set $flag_op
  i32.const 0
  local.get $fuel
  i32.store offset=cpu.fuel
  i32.const record
  local.get $base
  i64.const 0
  i64.add
  call $execute
  local.set $12
  i32.const -1
  local.set $flag_op
  local.get $12
  i32.const 1
  i32.shr_u
  local.set $12
  i32.const 0
  i64.load offset=cpu.rip
  local.set $base
  i32.const 0
  local.set $position
  local.get $12
  local.set $left
  br $block1
 end
 i32.const 1
 local.set $status
end
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
