;; d9 e8 d9 ee d9 c9 df e9 f4
local.get $base
local.set $22
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
 i64.load offset=50334816
 local.set $16
 i32.const 0
 i32.load offset=50334824
 local.set $18
 i32.const 0
 i64.load offset=50334832
 local.set $17
 i32.const 0
 i32.load offset=50334840
 local.set $19
 local.get $fuel
 i32.const 5
 i32.sub
 local.set $fuel
 local.get $10
 i32.const 6080
 i32.and
 i32.const 4096
 i32.ne
 if
  i64.const 70390219014144
  local.set $20
  br 1
 end
 i64.const -9223372036854775808
 local.set $17
 i32.const 16383
 local.set $19
 i64.const 0
 local.set $12
 i64.const -9173830345009659904
 local.set $14
 i64.const 0
 local.set $16
 i32.const 1048576
 local.set $18
 i64.const 0
 local.set $12
 i64.const -9173812727053811712
 local.set $14
 local.get $16
 local.get $17
 local.set $16
 local.set $17
 local.get $18
 local.get $19
 local.set $18
 local.set $19
 i64.const 0
 local.set $12
 i64.const -9173795293781557248
 local.set $14
 local.get $18
 local.get $19
 i32.or
 i32.const 2147483647
 i32.and
 i32.const 1048576
 i32.ge_u
 if
  local.get $16
  local.get $18
  local.get $17
  local.get $19
  i32.const 1
  call $compare_x87
  local.set $23
 else
  local.get $18
  i32.const 2147483647
  i32.and
  local.set $24
  local.get $19
  i32.const 2147483647
  i32.and
  local.set $25
  local.get $18
  i32.const 31
  i32.shr_u
  local.set $26
  local.get $16
  local.get $17
  i64.eq
  local.get $18
  local.get $19
  i32.eq
  i32.and
  local.set $27
  local.get $26
  local.get $24
  local.get $25
  i32.lt_u
  local.get $16
  local.get $17
  i64.lt_u
  local.get $24
  local.get $25
  i32.eq
  i32.and
  i32.or
  local.get $26
  i32.xor
  local.get $26
  local.get $19
  i32.const 31
  i32.shr_u
  i32.xor
  select
  local.get $27
  i32.eqz
  i32.and
  i32.const 8
  i32.shl
  local.get $27
  i32.const 14
  i32.shl
  i32.or
  local.set $23
 end
 local.get $23
 i32.const 8
 i32.shr_u
 i64.extend_i32_u
 local.set $flag_src
 i32.const 0
 local.set $flag_op
 i64.const -9173770967086792704
 local.set $14
 local.get $10
 i32.const 1920
 i32.xor
 local.set $10
 local.get $10
 if
  i32.const 0
  local.get $16
  i64.store offset=50334816
  i32.const 0
  local.get $18
  i32.store offset=50334824
  i32.const 0
  local.get $17
  i64.store offset=50334832
  i32.const 0
  local.get $19
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
 i32.const 0
 i32.const 0
 i32.store offset=cpu.flag_op
 i32.const 0
 local.get $flag_src
 i64.store offset=cpu.flag_src
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
 local.set $23
 i32.const -1
 local.set $flag_op
 local.get $23
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
 i64.store offset=50334816
 i32.const 0
 local.get $18
 i32.store offset=50334824
 i32.const 0
 local.get $17
 i64.store offset=50334832
 i32.const 0
 local.get $19
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
local.get $20
i64.const 70368744177664
i64.and
i64.eqz
i32.eqz
if
 local.get $20
 i64.const 70368744177664
 i64.xor
 local.get $flag_op
 i64.extend_i32_u
 i64.const 48
 i64.shl
 i64.or
 local.set $20
end
local.get $21
if
 local.get $20
 i64.const 48
 i64.shr_s
 local.get $22
 local.get $20
 i32.wrap_i64
 i64.extend_i32_s
 i64.add
 local.get $fuel
 local.get $20
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
local.get $20
local.get $22
local.get $fuel
local.get $flag_dst
local.get $flag_src
return_call $miss
