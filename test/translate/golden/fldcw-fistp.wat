;; d9 07 d9 6f 08 df 7f 10 f4
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
  i32.const 0
  i64.load offset=cpu.rdi
  local.set $rdi
  local.get $fuel
  i32.const 4
  i32.sub
  local.set $fuel
  call $helper
  local.set $scratch
  i32.const 0
  local.set $position
  i32.const 4
  local.set $left
  local.get $scratch
  br_if $block
  local.get $rdi
  local.set $13
  local.get $13
  local.set $14
  local.get $14
  i32.wrap_i64
  i32.const 7
  i32.shr_u
  i32.const 16352
  i32.and
  local.get $tlb
  i32.add
  local.tee $tlb_entry
  i64.load
  local.get $14
  i64.const 3
  i64.add
  i64.const -4096
  i64.and
  i64.ne
  br_if $block
  local.get $14
  i32.wrap_i64
  local.get $tlb_entry
  i32.load offset=24
  i32.add
  i32.load align=1
  local.set $15
  local.get $15
  call $helper
  i32.const 0
  local.get $base
  i64.const 0
  i64.add
  i64.store offset=2097296
  i32.const -2135949049
  local.get $13
  call $helper
  call $helper
  local.set $scratch_17
  i32.const 2
  local.set $position
  i32.const 3
  local.set $left
  local.get $scratch_17
  br_if $block
  local.get $rdi
  i64.const 8
  i64.add
  local.set $13
  local.get $13
  local.set $14
  local.get $14
  i32.wrap_i64
  i32.const 7
  i32.shr_u
  i32.const 16352
  i32.and
  local.get $tlb
  i32.add
  local.tee $tlb_entry
  i64.load
  local.get $14
  i64.const 1
  i64.add
  i64.const -4096
  i64.and
  i64.ne
  br_if $block
  local.get $14
  i32.wrap_i64
  local.get $tlb_entry
  i32.load offset=24
  i32.add
  i32.load16_u align=1
  local.set $15
  local.get $15
  i32.const 65535
  i32.and
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
  local.set $15
  i32.const 0
  i64.load offset=cpu.rdi
  local.set $rdi
  i32.const -1
  local.set $flag_op
  global.get $tlb
  local.set $tlb
  local.get $15
  if
   local.get $15
   i32.const 0
   i32.add
   local.set $15
   i32.const 0
   i64.load offset=cpu.rip
   local.set $base
   i32.const 0
   local.set $position
   local.get $15
   local.set $left
   br $block1
  end
  i32.const 0
  local.get $fuel
  i32.store offset=cpu.fuel
  i32.const record
  local.get $base
  i64.const 0
  i64.add
  call $execute
  local.set $15
  i32.const 0
  i64.load offset=cpu.rdi
  local.set $rdi
  i32.const -1
  local.set $flag_op
  local.get $15
  i32.const 1
  i32.shr_u
  local.set $15
  i32.const 0
  i64.load offset=cpu.rip
  local.set $base
  i32.const 0
  local.set $position
  local.get $15
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
