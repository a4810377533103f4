;; f2 0f 58 c1 f4
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
  local.set $11
  local.get $fuel
  i32.const 2
  i32.sub
  local.set $fuel
  local.get $xmm0
  i64x2.extract_lane 0
  local.set $scratch_21
  local.get $xmm1
  i64x2.extract_lane 0
  local.set $scratch_20
  local.get $11
  i32.eqz
  local.set $scratch
  i32.const 0
  local.set $position
  i32.const 2
  local.set $left
  local.get $scratch
  br_if $block
  local.get $scratch_20
  f64.reinterpret_i64
  local.set $14
  local.get $scratch_21
  f64.reinterpret_i64
  local.set $15
  local.get $15
  local.get $14
  f64.add
  local.tee $16
  f64.abs
  f64.const 2.2250738585072014e-308
  f64.gt
  local.get $16
  f64.abs
  f64.const inf
  f64.lt
  i32.and
  local.get $15
  f64.abs
  f64.const 2.2250738585072014e-308
  f64.ge
  local.get $15
  f64.const 0
  f64.eq
  i32.or
  i32.and
  local.get $14
  f64.abs
  f64.const 2.2250738585072014e-308
  f64.ge
  local.get $14
  f64.const 0
  f64.eq
  i32.or
  i32.and
  i32.eqz
  if
   local.get $16
   f64.const 0
   f64.eq
   local.get $15
   f64.abs
   f64.const 2.2250738585072014e-308
   f64.ge
   local.get $15
   f64.const 0
   f64.eq
   i32.or
   i32.and
   local.get $14
   f64.abs
   f64.const 2.2250738585072014e-308
   f64.ge
   local.get $14
   f64.const 0
   f64.eq
   i32.or
   i32.and
   i32.eqz
   br_if $block
  end
  local.get $16
  i64.reinterpret_f64
  local.set $17
  local.get $xmm0
  local.get $17
  i64x2.replace_lane 0
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
  local.set $18
  i32.const 0
  v128.load offset=cpu.xmm0
  local.set $xmm0
  i32.const 0
  v128.load offset=cpu.xmm1
  local.set $xmm1
  i32.const -1
  local.set $flag_op
  local.get $18
  i32.const 1
  i32.shr_u
  local.set $18
  i32.const 0
  i64.load offset=cpu.rip
  local.set $base
  i32.const 0
  local.set $position
  local.get $18
  local.set $left
  br $block1
 end
 i32.const 1
 local.set $status
end
i32.const 0
local.get $xmm0
v128.store offset=cpu.xmm0
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
