;; d9 e8 d9 fe d9 e0 f4
local.get $base
local.set $20
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
 call $attach_x87
 local.set $10
 i64.const 0
 local.set $14
 i32.const 0
 local.set $11
 i64.const 0
 local.set $13
 i32.const 0
 i32.load offset=4197972
 i32.const 9
 i32.shr_u
 i32.const 1
 i32.and
 i64.extend_i32_u
 local.set $12
 i32.const 0
 i64.load offset=50334832
 local.set $16
 i32.const 0
 i32.load offset=50334840
 local.set $17
 local.get $fuel
 i32.const 4
 i32.sub
 local.set $fuel
 local.get $10
 i32.const 6016
 i32.and
 i32.const 4096
 i32.ne
 if
  i64.const 70385924046848
  local.set $18
  br 1
 end
 i64.const -9223372036854775808
 local.set $16
 i32.const 16383
 local.set $17
 i64.const 0
 local.set $12
 i64.const -9173830345009659904
 local.set $14
 local.get $10
 i32.const 1920
 i32.xor
 local.set $10
 local.get $10
 if
  i32.const 0
  local.get $16
  i64.store offset=50334832
  i32.const 0
  local.get $17
  i32.store offset=50334840
  local.get $10
  local.get $12
  i32.wrap_i64
  local.get $13
  i64.const 0
  i64.ne
  local.get $base
  local.get $14
  i32.wrap_i64
  i64.extend_i32_s
  i64.add
  local.get $14
  i64.const 32
  i64.shr_u
  i32.wrap_i64
  local.get $15
  local.get $11
  call $detach_x87
  i32.const 0
  local.set $10
 end
 call $helper
 if
  i64.const 70381629079554
  local.set $18
  br 1
 end
 call $helper
 i32.const 0
 local.get $base
 i64.const 0
 i64.add
 i64.store offset=4194448
 i32.const -2135944706
 call $helper
 i32.const 7
 call $attach_x87
 local.set $10
 i64.const 0
 local.set $14
 i32.const 0
 local.set $11
 i64.const 0
 local.set $13
 i32.const 0
 i32.load offset=4197972
 i32.const 9
 i32.shr_u
 i32.const 1
 i32.and
 i64.extend_i32_u
 local.set $12
 i32.const 0
 i64.load offset=50334832
 local.set $16
 i32.const 0
 i32.load offset=50334840
 local.set $17
 local.get $10
 i32.const 6016
 i32.and
 i32.const 6016
 i32.ne
 if
  i64.const 70377334112260
  local.set $18
  br 1
 end
 local.get $17
 i32.const -2147483648
 i32.xor
 local.set $17
 i64.const 0
 local.set $12
 i64.const -9173795194997309440
 local.set $14
 local.get $10
 if
  i32.const 0
  local.get $16
  i64.store offset=50334832
  i32.const 0
  local.get $17
  i32.store offset=50334840
  local.get $10
  local.get $12
  i32.wrap_i64
  local.get $13
  i64.const 0
  i64.ne
  local.get $base
  local.get $14
  i32.wrap_i64
  i64.extend_i32_s
  i64.add
  local.get $14
  i64.const 32
  i64.shr_u
  i32.wrap_i64
  local.get $15
  local.get $11
  call $detach_x87
  i32.const 0
  local.set $10
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
 local.set $21
 i32.const -1
 local.set $flag_op
 local.get $21
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
local.get $10
if
 i32.const 0
 local.get $16
 i64.store offset=50334832
 i32.const 0
 local.get $17
 i32.store offset=50334840
 local.get $10
 local.get $12
 i32.wrap_i64
 local.get $13
 i64.const 0
 i64.ne
 local.get $base
 local.get $14
 i32.wrap_i64
 i64.extend_i32_s
 i64.add
 local.get $14
 i64.const 32
 i64.shr_u
 i32.wrap_i64
 local.get $15
 local.get $11
 call $detach_x87
 i32.const 0
 local.set $10
end
local.get $18
i64.const 70368744177664
i64.and
i64.eqz
i32.eqz
if
 local.get $18
 i64.const 70368744177664
 i64.xor
 local.get $flag_op
 i64.extend_i32_u
 i64.const 48
 i64.shl
 i64.or
 local.set $18
end
local.get $19
if
 local.get $18
 i64.const 48
 i64.shr_s
 local.get $20
 local.get $18
 i32.wrap_i64
 i64.extend_i32_s
 i64.add
 local.get $fuel
 local.get $18
 i64.const 32
 i64.shr_s
 i32.wrap_i64
 i32.const 32767
 i32.and
 i32.add
 local.get $flag_dst
 local.get $flag_src
 return_call $leave_open
end
local.get $18
local.get $20
local.get $fuel
local.get $flag_dst
local.get $flag_src
return_call $miss
