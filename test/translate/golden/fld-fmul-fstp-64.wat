;; dd 07 d8 c8 dd 5f 08 f4
local.get $base
local.set $21
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
 i64.load offset=cpu.rdi
 local.set $rdi
 i32.const 0
 call $attach_x87
 local.set $11
 i64.const 0
 local.set $15
 i32.const 0
 local.set $12
 i64.const 0
 local.set $14
 i32.const 0
 i32.load offset=4197972
 i32.const 9
 i32.shr_u
 i32.const 1
 i32.and
 i64.extend_i32_u
 local.set $13
 i32.const 0
 i64.load offset=50334832
 local.set $17
 i32.const 0
 i32.load offset=50334840
 local.set $18
 local.get $fuel
 i32.const 4
 i32.sub
 local.set $fuel
 local.get $11
 i32.const 14208
 i32.and
 i32.const 12288
 i32.ne
 if
  i64.const 70385924046848
  local.set $19
  br 1
 end
 local.get $rdi
 local.set $22
 local.get $22
 local.set $23
 local.get $23
 i32.wrap_i64
 i32.const 7
 i32.shr_u
 i32.const 131040
 i32.and
 local.get $tlb
 i32.add
 local.tee $tlb_entry
 i64.load
 local.get $23
 i64.const 7
 i64.add
 i64.const -4096
 i64.and
 i64.ne
 if
  i64.const 211123412402176
  local.set $19
  br 1
 end
 local.get $23
 i32.wrap_i64
 local.get $tlb_entry
 i32.load offset=24
 i32.add
 i64.load
 local.set $24
 local.get $24
 local.tee $25
 i64.const 52
 i64.shr_s
 i64.const -2147481601
 i64.and
 i32.wrap_i64
 local.set $26
 local.get $26
 i32.const 1
 i32.shl
 i32.const 2
 i32.sub
 i32.const 4092
 i32.ge_u
 if
  local.get $25
  i64.const 1
  i64.shl
  i64.const 0
  i64.ne
  if
   i64.const 70385924046848
   local.set $19
   br 2
  end
  local.get $26
  i32.const -2147483648
  i32.and
  i32.const 1048576
  i32.or
  local.set $28
  i64.const 0
  local.set $27
 else
  local.get $25
  i64.const 11
  i64.shl
  i64.const -9223372036854775808
  i64.or
  local.set $27
  local.get $26
  i32.const 15360
  i32.add
  local.set $28
 end
 local.get $27
 local.set $17
 local.get $28
 local.set $18
 i64.const 0
 local.set $13
 local.get $22
 local.set $16
 i32.const -2135948025
 local.set $12
 i64.const -9173826913330790400
 local.set $15
 block
  block
   local.get $17
   i64.const 4294967295
   i64.and
   local.set $22
   local.get $17
   i64.const 32
   i64.shr_u
   local.set $23
   local.get $17
   i64.const 4294967295
   i64.and
   local.set $24
   local.get $17
   i64.const 32
   i64.shr_u
   local.set $25
   local.get $23
   local.get $24
   i64.mul
   local.get $22
   local.get $24
   i64.mul
   i64.const 32
   i64.shr_u
   i64.add
   local.set $27
   local.get $22
   local.get $25
   i64.mul
   local.get $27
   i64.const 4294967295
   i64.and
   i64.add
   local.set $29
   local.get $23
   local.get $25
   i64.mul
   local.get $27
   i64.const 32
   i64.shr_u
   i64.add
   local.get $29
   i64.const 32
   i64.shr_u
   i64.add
   local.set $30
   local.get $17
   local.get $17
   i64.mul
   local.set $31
   local.get $18
   local.get $18
   i32.add
   i32.const 16383
   i32.sub
   local.get $30
   i64.const 63
   i64.shr_u
   i32.wrap_i64
   i32.add
   local.set $26
   local.get $30
   local.get $30
   i64.add
   local.get $31
   i64.const 63
   i64.shr_u
   i64.add
   local.get $30
   local.get $30
   i64.const 0
   i64.ge_s
   select
   local.get $31
   local.get $31
   local.get $31
   i64.add
   local.get $30
   i64.const 0
   i64.lt_s
   select
   local.set $31
   local.set $30
   local.get $31
   local.get $30
   i64.const 1
   i64.and
   i64.add
   i64.const -1
   i64.add
   local.get $31
   i64.and
   i64.const 63
   i64.shr_u
   local.set $32
   local.get $30
   local.get $32
   i64.add
   local.tee $33
   i64.const 0
   i64.ge_s
   br_if 0
   local.get $26
   i32.const 1
   i32.shl
   i32.const 2
   i32.sub
   i32.const 65532
   i32.ge_u
   br_if 0
   local.get $33
   local.set $17
   local.get $26
   local.set $18
   local.get $32
   local.set $13
   local.get $14
   local.get $31
   i64.or
   local.set $14
   br 1
  end
  i32.const 1
  local.get $17
  local.get $18
  local.get $17
  local.get $18
  call $compute_x87
  local.set $17
  i32.const 0
  i32.load offset=50334852
  local.tee $28
  i32.const -16777217
  i32.and
  local.set $18
  local.get $28
  i32.const 24
  i32.shr_u
  i32.const 1
  i32.and
  i64.extend_i32_u
  local.set $13
 end
 i64.const -9173813989774196736
 local.set $15
 local.get $rdi
 i64.const 8
 i64.add
 local.set $22
 local.get $18
 i32.const 1
 i32.shl
 i32.const 30722
 i32.sub
 i32.const 4090
 i32.ge_u
 if
  local.get $17
  local.get $18
  i32.const 32767
  i32.and
  i64.extend_i32_u
  i64.or
  i64.const 0
  i64.ne
  if
   local.get $11
   i32.const 1920
   i32.xor
   local.set $11
   i64.const 70377334112260
   local.set $19
   br 2
  end
  local.get $18
  i32.const 31
  i32.shr_u
  i64.extend_i32_u
  i64.const 63
  i64.shl
  local.set $24
  i64.const 0
  local.set $25
  i64.const 0
  local.set $27
 else
  local.get $17
  i64.const 53
  i64.shl
  local.set $27
  local.get $17
  i64.const 11
  i64.shr_u
  local.set $23
  local.get $27
  local.get $23
  i64.const 1
  i64.and
  i64.add
  i64.const -1
  i64.add
  local.get $27
  i64.and
  i64.const 63
  i64.shr_u
  local.set $25
  local.get $23
  local.get $25
  i64.add
  local.get $18
  i32.const 15361
  i32.sub
  i64.extend_i32_u
  i64.const 52
  i64.shl
  i64.add
  local.get $18
  i32.const 31
  i32.shr_u
  i64.extend_i32_u
  i64.const 63
  i64.shl
  i64.or
  local.set $24
 end
 local.get $24
 local.set $29
 local.get $22
 local.set $30
 local.get $30
 i32.wrap_i64
 i32.const 7
 i32.shr_u
 i32.const 131040
 i32.and
 local.get $tlb
 i32.add
 local.tee $tlb_entry
 i64.load offset=8
 local.get $30
 i64.const 7
 i64.add
 i64.const -4096
 i64.and
 i64.ne
 if
  local.get $11
  i32.const 1920
  i32.xor
  local.set $11
  i64.const 211114822467588
  local.set $19
  br 1
 end
 local.get $30
 i32.wrap_i64
 local.get $tlb_entry
 i32.load offset=24
 i32.add
 local.get $29
 i64.store
 local.get $25
 local.set $13
 local.get $14
 local.get $27
 i64.or
 local.set $14
 local.get $22
 local.set $16
 i32.const -2135939745
 local.set $12
 i64.const -9173791351001579520
 local.set $15
 local.get $11
 if
  i32.const 0
  local.get $17
  i64.store offset=50334832
  i32.const 0
  local.get $18
  i32.store offset=50334840
  local.get $11
  local.get $13
  i32.wrap_i64
  local.get $14
  i64.const 0
  i64.ne
  local.get $base
  local.get $15
  i32.wrap_i64
  i64.extend_i32_s
  i64.add
  local.get $15
  i64.const 32
  i64.shr_u
  i32.wrap_i64
  local.get $16
  local.get $12
  call $detach_x87
  i32.const 0
  local.set $11
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
 local.set $26
 i32.const -1
 local.set $flag_op
 local.get $26
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
local.get $11
if
 i32.const 0
 local.get $17
 i64.store offset=50334832
 i32.const 0
 local.get $18
 i32.store offset=50334840
 local.get $11
 local.get $13
 i32.wrap_i64
 local.get $14
 i64.const 0
 i64.ne
 local.get $base
 local.get $15
 i32.wrap_i64
 i64.extend_i32_s
 i64.add
 local.get $15
 i64.const 32
 i64.shr_u
 i32.wrap_i64
 local.get $16
 local.get $12
 call $detach_x87
 i32.const 0
 local.set $11
end
local.get $19
i64.const 70368744177664
i64.and
i64.eqz
i32.eqz
if
 local.get $19
 i64.const 70368744177664
 i64.xor
 local.get $flag_op
 i64.extend_i32_u
 i64.const 48
 i64.shl
 i64.or
 local.set $19
end
local.get $20
if
 local.get $19
 i64.const 48
 i64.shr_s
 local.get $21
 local.get $19
 i32.wrap_i64
 i64.extend_i32_s
 i64.add
 local.get $fuel
 local.get $19
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
local.get $19
local.get $21
local.get $fuel
local.get $flag_dst
local.get $flag_src
return_call $miss
