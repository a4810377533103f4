;; f2 0f 58 c1 f4
block
 i32.const 0
 i32.load offset=cpu.fuel
 local.set $fuel
 i32.const -1
 local.set $flag_op
 i32.const 0
 i32.load offset=5308568
 local.set $tlb
 i32.const 0
 v128.load offset=cpu.xmm0
 local.set $xmm0
 i32.const 0
 v128.load offset=cpu.xmm1
 local.set $xmm1
 i32.const 0
 i32.load offset=2100844
 i32.const 32672
 i32.and
 i32.const 8096
 i32.eq
 local.set $8
 local.get $fuel
 i32.const 2
 i32.sub
 local.set $fuel
 block
  block
   local.get $8
   i32.eqz
   br_if 0
   local.get $xmm1
   f64x2.extract_lane 0
   local.set $12
   local.get $xmm0
   f64x2.extract_lane 0
   local.set $13
   local.get $xmm0
   i16x8.extract_lane_u 3
   i32.const 16
   i32.add
   i32.const 32736
   i32.and
   i32.eqz
   if
    local.get $13
    f64.abs
    f64.const 2.2250738585072014e-308
    f64.ge
    local.get $13
    f64.const 0
    f64.eq
    i32.or
    i32.eqz
    br_if 1
   end
   local.get $xmm1
   i16x8.extract_lane_u 3
   i32.const 16
   i32.add
   i32.const 32736
   i32.and
   i32.eqz
   if
    local.get $12
    f64.abs
    f64.const 2.2250738585072014e-308
    f64.ge
    local.get $12
    f64.const 0
    f64.eq
    i32.or
    i32.eqz
    br_if 1
   end
   local.get $13
   local.get $12
   f64.add
   local.set $14
   local.get $14
   i64.reinterpret_f64
   i64.const 48
   i64.shr_u
   i32.wrap_i64
   i32.const 16
   i32.add
   i32.const 32704
   i32.and
   i32.eqz
   if
    local.get $14
    f64.const 0
    f64.eq
    i32.eqz
    br_if 1
   end
   br 1
  end
  i64.const 70377334112256
  local.set $11
  br 1
 end
 local.get $14
 local.set $15
 local.get $xmm0
 local.get $15
 f64x2.replace_lane 0
 local.set $xmm0
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
 i32.const record
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
local.get $11
i64.const 70368744177664
i64.and
i64.eqz
i32.eqz
if
 local.get $11
 i64.const 70368744177664
 i64.xor
 local.get $flag_op
 i64.extend_i32_u
 i64.const 48
 i64.shl
 i64.or
 local.set $11
end
local.get $11
local.get $base
local.get $fuel
local.get $flag_dst
local.get $flag_src
return_call $miss
