;; 64 48 8b 04 25 28 00 00 00 f4
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
  i64.load offset=cpu.rax
  local.set $rax
  local.get $fuel
  i32.const 2
  i32.sub
  local.set $fuel
  i64.const 40
  i32.const 0
  i64.load offset=cpu.fs_base
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
  i64.const 7
  i64.add
  i64.const -4096
  i64.and
  i64.ne
  local.set $scratch
  i32.const 0
  local.set $position
  i32.const 2
  local.set $left
  local.get $scratch
  br_if $block
  local.get $14
  i32.wrap_i64
  local.get $tlb_entry
  i32.load offset=24
  i32.add
  i64.load align=1
  local.set $15
  local.get $15
  local.set $rax
  local.get $flag_op
  local.get $flag_dst
  local.get $flag_src
  call $store_flags
  i32.const -1
  local.set $flag_op
  i32.const 0
  local.get $rax
  i64.store offset=cpu.rax
  i32.const 0
  local.get $fuel
  i32.store offset=cpu.fuel
  i32.const record
  local.get $base
  i64.const 0
  i64.add
  call $execute
  local.set $16
  i32.const 0
  i64.load offset=cpu.rax
  local.set $rax
  i32.const -1
  local.set $flag_op
  local.get $16
  i32.const 1
  i32.shr_u
  local.set $16
  i32.const 0
  i64.load offset=cpu.rip
  local.set $base
  i32.const 0
  local.set $position
  local.get $16
  local.set $left
  br $block1
 end
 i32.const 1
 local.set $status
end
i32.const 0
local.get $rax
i64.store offset=cpu.rax
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
