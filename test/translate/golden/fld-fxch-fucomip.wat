;; d9 e8 d9 ee d9 c9 df e9 f4
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
  call $helper
  local.set $12
  i32.const 0
  local.set $14
  i32.const 0
  local.set $15
  i64.const 0
  local.set $16
  i32.const 0
  i32.load offset=2100820
  i32.const 9
  i32.shr_u
  i32.const 1
  i32.and
  local.set $13
  i32.const 0
  i64.load offset=16518240
  local.set $19
  i32.const 0
  i32.load offset=16518248
  local.set $21
  i32.const 0
  i64.load offset=16518256
  local.set $20
  i32.const 0
  i32.load offset=16518264
  local.set $22
  local.get $fuel
  i32.const 5
  i32.sub
  local.set $fuel
  local.get $12
  i32.const 6080
  i32.and
  i32.const 4096
  i32.ne
  local.set $scratch
  i32.const 0
  local.set $position
  i32.const 5
  local.set $left
  local.get $scratch
  br_if $block
  local.get $12
  i32.const 1920
  i32.xor
  local.set $12
  i64.const -9223372036854775808
  local.set $20
  i32.const 16383
  local.set $22
  i32.const 0
  local.set $13
  local.get $base
  i64.const 0
  i64.add
  local.set $17
  i32.const -2135948824
  local.set $14
  local.get $12
  i32.const 320
  i32.xor
  local.set $12
  i64.const 0
  local.set $19
  i32.const 1048576
  local.set $21
  i32.const 0
  local.set $13
  local.get $base
  i64.const 0
  i64.add
  local.set $17
  i32.const -2135944722
  local.set $14
  local.get $19
  local.set $scratch_29
  local.get $20
  local.set $19
  local.get $scratch_29
  local.set $20
  local.get $21
  local.set $scratch_30
  local.get $22
  local.set $21
  local.get $scratch_30
  local.set $22
  i32.const 0
  local.set $13
  local.get $base
  i64.const 0
  i64.add
  local.set $17
  i32.const -2135940663
  local.set $14
  local.get $21
  local.get $22
  i32.or
  i32.const -32769
  i32.and
  i32.const 1048576
  i32.ge_u
  if
   local.get $19
   local.get $21
   local.get $20
   local.get $22
   i32.const 1
   call $helper
   local.set $23
  else
   local.get $21
   i32.const -32769
   i32.and
   local.set $24
   local.get $22
   i32.const -32769
   i32.and
   local.set $25
   local.get $21
   i32.const 15
   i32.shr_u
   local.set $26
   local.get $19
   local.get $20
   i64.eq
   local.get $21
   local.get $22
   i32.eq
   i32.and
   local.set $27
   local.get $26
   local.get $24
   local.get $25
   i32.lt_u
   local.get $19
   local.get $20
   i64.lt_u
   local.get $24
   local.get $25
   i32.eq
   i32.and
   i32.or
   local.get $26
   i32.xor
   local.get $26
   local.get $22
   i32.const 15
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
  local.get $12
  i32.const 320
  i32.xor
  local.set $12
  local.get $base
  i64.const 0
  i64.add
  local.set $17
  i32.const -2135934999
  local.set $14
  local.get $12
  if
   i32.const 0
   local.get $19
   i64.store offset=16518240
   i32.const 0
   local.get $21
   i32.store offset=16518248
   i32.const 0
   local.get $20
   i64.store offset=16518256
   i32.const 0
   local.get $22
   i32.store offset=16518264
   local.get $12
   local.get $13
   local.get $16
   i64.const 0
   i64.ne
   local.get $17
   local.get $14
   local.get $18
   local.get $15
   call $helper
   i32.const 0
   local.set $12
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
  i32.const record
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
  local.set $23
  i32.const 0
  i64.load offset=cpu.rip
  local.set $base
  i32.const 0
  local.set $position
  local.get $23
  local.set $left
  br $block1
 end
 i32.const 1
 local.set $status
end
local.get $12
if
 i32.const 0
 local.get $19
 i64.store offset=16518240
 i32.const 0
 local.get $21
 i32.store offset=16518248
 i32.const 0
 local.get $20
 i64.store offset=16518256
 i32.const 0
 local.get $22
 i32.store offset=16518264
 local.get $12
 local.get $13
 local.get $16
 i64.const 0
 i64.ne
 local.get $17
 local.get $14
 local.get $18
 local.get $15
 call $helper
 i32.const 0
 local.set $12
end
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
