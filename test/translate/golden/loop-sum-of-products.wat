;; f2 0f 10 0f 66 0f 14 c9 66 0f 59 0e 66 0f 58 c1 48 83 c7 08 48 83 c6 10 48 ff c9 0f 85 df ff ff ff f4
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
 i64.load offset=cpu.rcx
 local.set $rcx
 i32.const 0
 i64.load offset=cpu.rsi
 local.set $rsi
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
 local.set $16
 i32.const 0
 v128.load offset=50334944
 local.set $17
 i32.const 0
 i64.const 4611686018427387904
 i64.store offset=50334976
 i32.const 0
 i64.const 4611686018427387904
 i64.store offset=50334992
 i32.const 0
 i64.const 4611686018427387904
 i64.store offset=50335008
 i32.const 0
 i64.const 4611686018427387904
 i64.store offset=50335024
 block
  block
   local.get $xmm0
   f64x2.abs
   f64.const 2.2250738585072014e-308
   f64x2.splat
   f64x2.ge
   local.get $xmm0
   f64.const 0
   f64x2.splat
   f64x2.eq
   v128.or
   i64x2.all_true
   i32.eqz
   br_if 0
   br 1
  end
  i64.const 70368744177664
  local.set $15
  br 1
 end
 loop
  local.get $fuel
  i32.const 8
  i32.sub
  local.set $fuel
  i32.const 0
  local.get $rcx
  i64.store offset=cpu.rcx
  i32.const 0
  local.get $rsi
  i64.store offset=cpu.rsi
  i32.const 0
  local.get $rdi
  i64.store offset=cpu.rdi
  local.get $rdi
  local.set $18
  local.get $18
  local.set $19
  local.get $19
  i32.const 0
  i64.load offset=50334976
  i64.sub
  i64.const 4088
  i64.gt_u
  if
   local.get $19
   i32.wrap_i64
   i32.const 7
   i32.shr_u
   i32.const 131040
   i32.and
   local.get $tlb
   i32.add
   local.tee $tlb_entry
   i64.load
   local.get $19
   i64.const 7
   i64.add
   i64.const -4096
   i64.and
   i64.ne
   if
    i32.const 0
    local.get $xmm0
    v128.store offset=cpu.xmm0
    i32.const 0
    local.get $xmm1
    v128.store offset=cpu.xmm1
    i64.const 211140592271360
    local.set $15
    br 3
   end
   i32.const 0
   local.get $19
   i64.const -4096
   i64.and
   i64.store offset=50334976
   i32.const 0
   local.get $tlb_entry
   i32.load offset=24
   i32.store offset=50334984
  end
  local.get $19
  i32.wrap_i64
  i32.const 0
  i32.load offset=50334984
  i32.add
  v128.load64_zero
  local.set $20
  local.get $20
  local.set $xmm1
  local.get $xmm1
  local.get $xmm1
  i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23
  local.set $xmm1
  local.get $9
  i32.eqz
  if
   i32.const 0
   local.get $xmm0
   v128.store offset=cpu.xmm0
   i32.const 0
   local.get $xmm1
   v128.store offset=cpu.xmm1
   i64.const 70394513981448
   local.set $15
   br 2
  end
  block
   block
    local.get $rsi
    local.set $21
    local.get $rdi
    local.set $22
    local.get $xmm0
    local.set $23
    local.get $xmm1
    local.set $24
    local.get $flag_op
    local.set $25
    local.get $flag_dst
    local.set $26
    local.get $flag_src
    local.set $27
    i64.const 70394513981448
    local.set $15
    local.get $rsi
    local.set $18
    local.get $18
    i32.wrap_i64
    i32.const 15
    i32.and
    if
     br 1
    end
    local.get $18
    i32.const 0
    i64.load offset=50335008
    i64.sub
    i64.const 4080
    i64.gt_u
    if
     local.get $18
     i32.wrap_i64
     i32.const 7
     i32.shr_u
     i32.const 131040
     i32.and
     local.get $tlb
     i32.add
     local.tee $tlb_entry
     i64.load
     local.get $18
     i64.const 15
     i64.add
     i64.const -4096
     i64.and
     i64.ne
     if
      i64.const 211132002336776
      local.set $15
      br 2
     end
     i32.const 0
     local.get $18
     i64.const -4096
     i64.and
     i64.store offset=50335008
     i32.const 0
     local.get $tlb_entry
     i32.load offset=24
     i32.store offset=50335016
    end
    local.get $18
    i32.wrap_i64
    i32.const 0
    i32.load offset=50335016
    i32.add
    local.set $28
    local.get $xmm1
    local.set $29
    local.get $28
    v128.load
    local.set $20
    local.get $20
    local.set $30
    local.get $29
    local.get $30
    f64x2.mul
    local.set $xmm1
    local.get $xmm1
    local.set $31
    local.get $xmm0
    local.set $32
    local.get $xmm1
    local.set $33
    local.get $32
    local.get $33
    f64x2.add
    local.set $xmm0
    local.get $xmm0
    local.set $34
    local.get $rdi
    i64.const 8
    i64.add
    local.set $18
    local.get $18
    local.set $rdi
    local.get $rsi
    i64.const 16
    i64.add
    local.set $18
    local.get $18
    local.set $rsi
    local.get $18
    i64.const 16
    local.set $flag_src
    local.set $flag_dst
    i32.const 7
    local.set $flag_op
    local.get $29
    local.get $30
    i8x16.shuffle 4 5 6 7 12 13 14 15 20 21 22 23 28 29 30 31
    local.get $16
    i32x4.add
    local.get $17
    v128.and
    local.get $31
    local.get $34
    i8x16.shuffle 4 5 6 7 12 13 14 15 20 21 22 23 28 29 30 31
    local.get $16
    i32x4.add
    local.get $17
    v128.and
    i32x4.min_u
    v128.const i8x16 0x00000000000000000000000000000000
    i32x4.eq
    i32x4.bitmask
    if
     local.get $29
     f64x2.abs
     f64.const 2.2250738585072014e-308
     f64x2.splat
     f64x2.ge
     local.get $29
     f64.const 0
     f64x2.splat
     f64x2.eq
     v128.or
     i64x2.all_true
     i32.eqz
     br_if 1
     local.get $30
     f64x2.abs
     f64.const 2.2250738585072014e-308
     f64x2.splat
     f64x2.ge
     local.get $30
     f64.const 0
     f64x2.splat
     f64x2.eq
     v128.or
     i64x2.all_true
     i32.eqz
     br_if 1
     local.get $31
     f64x2.abs
     f64.const 2.2250738585072014e-308
     f64x2.splat
     f64x2.gt
     local.get $31
     f64x2.abs
     f64.const Infinity
     f64x2.splat
     f64x2.lt
     v128.and
     local.get $31
     f64.const 0
     f64x2.splat
     f64x2.eq
     local.get $29
     f64.const 0
     f64x2.splat
     f64x2.eq
     local.get $30
     f64.const 0
     f64x2.splat
     f64x2.eq
     v128.or
     v128.and
     v128.or
     i64x2.all_true
     i32.eqz
     br_if 1
     local.get $34
     f64x2.abs
     f64.const 2.2250738585072014e-308
     f64x2.splat
     f64x2.gt
     local.get $34
     f64x2.abs
     f64.const Infinity
     f64x2.splat
     f64x2.lt
     v128.and
     local.get $34
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
   local.get $21
   local.set $rsi
   local.get $22
   local.set $rdi
   local.get $23
   local.set $xmm0
   local.get $24
   local.set $xmm1
   local.get $25
   local.set $flag_op
   local.get $26
   local.set $flag_dst
   local.get $27
   local.set $flag_src
   i32.const 0
   local.get $rsi
   i64.store offset=cpu.rsi
   i32.const 0
   local.get $rdi
   i64.store offset=cpu.rdi
   i32.const 0
   local.get $xmm0
   v128.store offset=cpu.xmm0
   i32.const 0
   local.get $xmm1
   v128.store offset=cpu.xmm1
   br 2
  end
  local.get $rcx
  i64.const 1
  i64.sub
  local.set $18
  local.get $18
  local.set $rcx
  local.get $18
  local.get $flag_dst
  local.get $flag_src
  i64.lt_u
  i64.extend_i32_u
  local.set $flag_src
  local.set $flag_dst
  i32.const 31
  local.set $flag_op
  local.get $flag_dst
  i64.eqz
  i32.eqz
  if
   local.get $fuel
   i32.const 8
   i32.ge_s
   br_if 1
   i32.const 0
   local.get $rcx
   i64.store offset=cpu.rcx
   i32.const 0
   local.get $rsi
   i64.store offset=cpu.rsi
   i32.const 0
   local.get $rdi
   i64.store offset=cpu.rdi
   i32.const 0
   local.get $xmm0
   v128.store offset=cpu.xmm0
   i32.const 0
   local.get $xmm1
   v128.store offset=cpu.xmm1
   i64.const 31
   local.get $base
   local.get $fuel
   local.get $flag_dst
   local.get $flag_src
   return_call $leave
  end
  i32.const 0
  local.get $rcx
  i64.store offset=cpu.rcx
  i32.const 0
  local.get $rsi
  i64.store offset=cpu.rsi
  i32.const 0
  local.get $rdi
  i64.store offset=cpu.rdi
  i32.const 0
  local.get $xmm0
  v128.store offset=cpu.xmm0
  i32.const 0
  local.get $xmm1
  v128.store offset=cpu.xmm1
  i64.const 31
  local.get $base
  i64.const 33
  i64.add
  local.get $fuel
  local.get $flag_dst
  local.get $flag_src
  return_call $leave
 end
 unreachable
end
local.get $15
i64.const 70368744177664
i64.and
i64.eqz
i32.eqz
if
 local.get $15
 i64.const 70368744177664
 i64.xor
 local.get $flag_op
 i64.extend_i32_u
 i64.const 48
 i64.shl
 i64.or
 local.set $15
end
local.get $15
local.get $base
local.get $fuel
local.get $flag_dst
local.get $flag_src
return_call $miss
