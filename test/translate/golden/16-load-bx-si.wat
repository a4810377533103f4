;; 8b 00 f4
block
 i32.const 0
 i32.load offset=cpu.fuel
 local.set $fuel
 i32.const -1
 local.set $flag_op
 i32.const 0
 i32.load offset=7405720
 local.set $tlb
 i32.const 0
 i32.load offset=cpu.rax
 local.set $rax
 i32.const 0
 i32.load offset=cpu.rbx
 local.set $rbx
 i32.const 0
 i32.load offset=cpu.rsi
 local.set $rsi
 local.get $fuel
 i32.const 2
 i32.sub
 local.set $fuel
 local.get $rbx
 local.get $rsi
 i32.add
 i32.const 65535
 i32.and
 i64.extend_i32_u
 local.set $14
 local.get $14
 local.set $15
 local.get $15
 i32.wrap_i64
 i32.const 7
 i32.shr_u
 i32.const 131040
 i32.and
 local.get $tlb
 i32.add
 local.tee $tlb_entry
 i64.load
 local.get $15
 i64.const 1
 i64.add
 i64.const -4096
 i64.and
 i64.ne
 if
  i64.const 211114822467584
  local.set $13
  br 1
 end
 local.get $15
 i32.wrap_i64
 local.get $tlb_entry
 i32.load offset=24
 i32.add
 i32.load16_u
 local.set $16
 local.get $rax
 i32.const -65536
 i32.and
 local.get $16
 i32.const 65535
 i32.and
 i32.or
 local.set $rax
 local.get $flag_op
 local.get $flag_dst
 local.get $flag_src
 call $store_flags
 i32.const -1
 local.set $flag_op
 i32.const 0
 local.get $rax
 i64.extend_i32_u
 i64.store offset=cpu.rax
 i32.const 0
 local.get $fuel
 i32.store offset=cpu.fuel
 local.get $slot
 i32.const 2
 i32.shl
 i32.load offset=52559872
 i32.load offset=12
 local.get $base
 i64.const 0
 i64.add
 call $execute
 local.set $16
 i32.const -1
 local.set $flag_op
 local.get $16
 i32.const 1
 i32.shr_u
 if
  i32.const 0
  local.get $fuel
  i32.const 1
  i32.add
  i32.store offset=cpu.fuel
  i32.const 0
  return
 end
 i64.const 0
 i32.const 0
 i64.load offset=cpu.rip
 local.get $fuel
 i64.const 0
 i64.const 0
 return_call $leave_stored
 unreachable
end
local.get $13
i64.const 70368744177664
i64.and
i64.eqz
i32.eqz
if
 local.get $13
 i64.const 70368744177664
 i64.xor
 local.get $flag_op
 i64.extend_i32_u
 i64.const 48
 i64.shl
 i64.or
 local.set $13
end
local.get $13
local.get $base
local.get $fuel
local.get $flag_dst
local.get $flag_src
return_call $miss
