;; f3 a5 f4
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
 i32.load offset=cpu.rcx
 local.set $rcx
 i32.const 0
 i32.load offset=cpu.rsi
 local.set $rsi
 i32.const 0
 i32.load offset=cpu.rdi
 local.set $rdi
 local.get $fuel
 i32.const 2
 i32.sub
 local.set $fuel
 i32.const 4
 i64.const 4294967295
 call $copy_run
 i32.const 0
 i32.load offset=cpu.rcx
 local.set $rcx
 i32.const 0
 i32.load offset=cpu.rsi
 local.set $rsi
 i32.const 0
 i32.load offset=cpu.rdi
 local.set $rdi
 if
  i64.const 70377334112256
  local.set $13
  br 1
 end
 local.get $flag_op
 local.get $flag_dst
 local.get $flag_src
 call $store_flags
 i32.const -1
 local.set $flag_op
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
 local.set $14
 i32.const -1
 local.set $flag_op
 local.get $14
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
