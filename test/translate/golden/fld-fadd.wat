;; d9 e8 d8 c0 f4
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
 i32.const 3
 i32.sub
 local.set $fuel
 local.get $10
 i32.const 14208
 i32.and
 i32.const 12288
 i32.ne
 if
  i64.const 70381629079552
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
 block
  block
   block
    local.get $17
    local.get $17
    i32.sub
    i32.const 1
    i32.shl
    local.set $21
    local.get $16
    local.get $16
    i64.lt_u
    local.set $22
    local.get $16
    local.get $16
    local.get $21
    local.get $22
    i32.lt_s
    select
    local.set $23
    local.get $16
    local.get $16
    i64.xor
    local.get $23
    i64.xor
    local.set $24
    local.get $17
    local.get $17
    local.get $21
    local.get $22
    i32.ge_s
    select
    local.set $25
    local.get $21
    i32.const 31
    i32.shr_s
    local.set $26
    local.get $21
    local.get $26
    i32.xor
    local.get $26
    i32.sub
    local.tee $27
    i32.const 126
    i32.gt_u
    br_if 0
    local.get $17
    local.get $17
    i32.xor
    i32.const 31
    i32.shr_s
    i64.extend_i32_s
    local.set $29
    local.get $27
    i32.const 1
    i32.shr_u
    i64.extend_i32_u
    local.set $28
    local.get $24
    local.get $28
    i64.const 63
    i64.xor
    i64.shl
    local.tee $32
    local.get $23
    i64.const 63
    i64.shl
    local.get $29
    i64.xor
    i64.add
    local.set $31
    local.get $24
    i64.const 1
    i64.shr_u
    local.get $28
    i64.shr_u
    local.get $23
    i64.const 1
    i64.shr_u
    local.get $29
    i64.xor
    i64.add
    local.tee $30
    i64.const 1
    i64.add
    local.get $30
    local.get $31
    local.get $32
    i64.lt_u
    select
    local.get $29
    i64.xor
    local.tee $30
    i64.clz
    local.set $32
    local.get $31
    local.get $29
    i64.xor
    local.set $31
    local.get $25
    i32.const 1
    i32.add
    local.get $32
    i32.wrap_i64
    i32.sub
    local.set $25
    local.get $30
    local.get $32
    i64.shl
    local.get $31
    i64.const 62
    i64.shr_u
    local.get $32
    i64.shl
    i64.const 2
    i64.shr_u
    i64.or
    local.set $30
    local.get $31
    local.get $32
    i64.shl
    local.set $31
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
    local.set $33
    local.get $30
    local.get $33
    i64.add
    local.tee $34
    i64.const 0
    i64.ge_s
    br_if 1
    local.get $25
    i32.const 1
    i32.shl
    i32.const 2
    i32.sub
    i32.const 65532
    i32.ge_u
    br_if 1
    local.get $34
    local.set $16
    local.get $25
    local.set $17
    local.get $33
    local.set $12
    local.get $13
    local.get $31
    i64.or
    local.set $13
    br 2
   end
   local.get $17
   local.get $17
   i32.xor
   local.get $25
   i32.xor
   local.tee $35
   i32.const 2147483647
   i32.and
   i32.const 1048576
   i32.lt_u
   local.get $25
   i32.const 2147483647
   i32.and
   i32.const 1048576
   i32.eq
   i32.and
   local.get $23
   i64.eqz
   i32.and
   if
    local.get $24
    local.set $16
    local.get $35
    local.set $17
    i64.const 0
    local.set $12
    br 2
   end
  end
  i32.const 0
  local.get $16
  local.get $17
  local.get $16
  local.get $17
  call $compute_x87
  local.set $16
  i32.const 0
  i32.load offset=50334852
  local.tee $36
  i32.const -16777217
  i32.and
  local.set $17
  local.get $36
  i32.const 24
  i32.shr_u
  i32.const 1
  i32.and
  i64.extend_i32_u
  local.set $12
 end
 i64.const -9173814024133935104
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
