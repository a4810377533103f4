;; f2 0f 59 c1 f2 0f 58 07 f4
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
 v128.load offset=cpu.xmm0
 local.set $xmm0
 i32.const 0
 v128.load offset=cpu.xmm1
 local.set $xmm1
 i32.const 0
 i32.const 0
 i32.load offset=4197996
 i32.const 32672
 i32.and
 i32.const 8096
 i32.eq
 i32.store offset=50334960
 i32.const 0
 i32.load offset=50334960
 local.set $9
 i32.const 0
 v128.load offset=50334928
 local.set $14
 i32.const 0
 v128.load offset=50334944
 local.set $15
 local.get $fuel
 i32.const 3
 i32.sub
 local.set $fuel
 local.get $9
 i32.eqz
 if
  i64.const 70381629079552
  local.set $13
  br 1
 end
 block
  block
   local.get $xmm0
   local.set $16
   local.get $flag_op
   local.set $17
   local.get $flag_dst
   local.set $18
   local.get $flag_src
   local.set $19
   i64.const 70381629079552
   local.set $13
   local.get $xmm1
   f64x2.extract_lane 0
   local.set $20
   local.get $xmm0
   f64x2.extract_lane 0
   local.set $21
   local.get $xmm0
   local.set $22
   local.get $xmm1
   local.set $23
   local.get $21
   local.get $20
   f64.mul
   local.set $24
   local.get $xmm0
   local.get $24
   f64x2.replace_lane 0
   local.set $xmm0
   local.get $xmm0
   local.set $25
   local.get $rdi
   local.set $26
   local.get $26
   local.set $27
   local.get $27
   i32.wrap_i64
   i32.const 7
   i32.shr_u
   i32.const 131040
   i32.and
   local.get $tlb
   i32.add
   local.tee $tlb_entry
   i64.load
   local.get $27
   i64.const 7
   i64.add
   i64.const -4096
   i64.and
   i64.ne
   if
    i64.const 211119117434880
    local.set $13
    br 1
   end
   local.get $27
   i32.wrap_i64
   local.get $tlb_entry
   i32.load offset=24
   i32.add
   f64.load
   local.set $20
   local.get $xmm0
   f64x2.extract_lane 0
   local.set $21
   local.get $xmm0
   local.set $28
   local.get $20
   f64x2.splat
   local.set $29
   local.get $21
   local.get $20
   f64.add
   local.set $24
   local.get $xmm0
   local.get $24
   f64x2.replace_lane 0
   local.set $xmm0
   local.get $xmm0
   local.set $30
   local.get $22
   local.get $23
   i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23
   local.set $31
   local.get $25
   local.get $29
   i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23
   local.set $32
   local.get $30
   local.get $30
   i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23
   local.set $33
   local.get $31
   local.get $32
   i8x16.shuffle 4 5 6 7 12 13 14 15 20 21 22 23 28 29 30 31
   local.get $14
   i32x4.add
   local.get $15
   v128.and
   local.get $33
   local.get $33
   i8x16.shuffle 4 5 6 7 12 13 14 15 20 21 22 23 28 29 30 31
   local.get $14
   i32x4.add
   local.get $15
   v128.and
   i32x4.min_u
   v128.const i8x16 0x00000000000000000000000000000000
   i32x4.eq
   i32x4.bitmask
   if
    local.get $22
    local.get $22
    i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23
    local.set $31
    local.get $23
    local.get $23
    i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23
    local.set $32
    local.get $25
    local.get $25
    i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23
    local.set $33
    local.get $31
    f64x2.abs
    f64.const 2.2250738585072014e-308
    f64x2.splat
    f64x2.ge
    local.get $31
    f64.const 0
    f64x2.splat
    f64x2.eq
    v128.or
    i64x2.all_true
    i32.eqz
    br_if 1
    local.get $32
    f64x2.abs
    f64.const 2.2250738585072014e-308
    f64x2.splat
    f64x2.ge
    local.get $32
    f64.const 0
    f64x2.splat
    f64x2.eq
    v128.or
    i64x2.all_true
    i32.eqz
    br_if 1
    local.get $33
    f64x2.abs
    f64.const 2.2250738585072014e-308
    f64x2.splat
    f64x2.gt
    local.get $33
    f64x2.abs
    f64.const Infinity
    f64x2.splat
    f64x2.lt
    v128.and
    local.get $33
    f64.const 0
    f64x2.splat
    f64x2.eq
    local.get $31
    f64.const 0
    f64x2.splat
    f64x2.eq
    local.get $32
    f64.const 0
    f64x2.splat
    f64x2.eq
    v128.or
    v128.and
    v128.or
    i64x2.all_true
    i32.eqz
    br_if 1
    local.get $28
    local.get $28
    i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23
    local.set $31
    local.get $29
    local.get $29
    i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23
    local.set $32
    local.get $30
    local.get $30
    i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23
    local.set $33
    local.get $32
    f64x2.abs
    f64.const 2.2250738585072014e-308
    f64x2.splat
    f64x2.ge
    local.get $32
    f64.const 0
    f64x2.splat
    f64x2.eq
    v128.or
    i64x2.all_true
    i32.eqz
    br_if 1
    local.get $33
    f64x2.abs
    f64.const 2.2250738585072014e-308
    f64x2.splat
    f64x2.gt
    local.get $33
    f64x2.abs
    f64.const Infinity
    f64x2.splat
    f64x2.lt
    v128.and
    local.get $33
    f64.const 0
    f64x2.splat
    f64x2.eq
    v128.or
    i64x2.all_true
    i32.eqz
    br_if 1
   end
   br 1
  end
  local.get $16
  local.set $xmm0
  local.get $17
  local.set $flag_op
  local.get $18
  local.set $flag_dst
  local.get $19
  local.set $flag_src
  i32.const 0
  local.get $xmm0
  v128.store offset=cpu.xmm0
  br 1
 end
 local.get $flag_op
 local.get $flag_dst
 local.get $flag_src
 call $store_flags
 i32.const -1
 local.set $flag_op
 i32.const 0
 local.get $xmm0
 v128.store offset=cpu.xmm0
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
 local.set $34
 i32.const -1
 local.set $flag_op
 local.get $34
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
