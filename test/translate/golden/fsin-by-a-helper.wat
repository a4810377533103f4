;; d9 e8 d9 fe d9 e0 f4
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
  i64.load offset=16518256
  local.set $19
  i32.const 0
  i32.load offset=16518264
  local.set $20
  local.get $fuel
  i32.const 4
  i32.sub
  local.set $fuel
  local.get $12
  i32.const 6016
  i32.and
  i32.const 4096
  i32.ne
  local.set $scratch
  i32.const 0
  local.set $position
  i32.const 4
  local.set $left
  local.get $scratch
  br_if $block
  local.get $12
  i32.const 1920
  i32.xor
  local.set $12
  i64.const -9223372036854775808
  local.set $19
  i32.const 16383
  local.set $20
  i32.const 0
  local.set $13
  local.get $base
  i64.const 0
  i64.add
  local.set $17
  i32.const -2135948824
  local.set $14
  local.get $12
  if
   i32.const 0
   local.get $19
   i64.store offset=16518256
   i32.const 0
   local.get $20
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
  call $helper
  local.set $scratch_23
  i32.const 2
  local.set $position
  i32.const 3
  local.set $left
  local.get $scratch_23
  br_if $block
  call $helper
  i32.const 0
  local.get $base
  i64.const 0
  i64.add
  i64.store offset=2097296
  i32.const -2135944706
  call $helper
  i32.const 7
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
  i64.load offset=16518256
  local.set $19
  i32.const 0
  i32.load offset=16518264
  local.set $20
  local.get $12
  i32.const 6016
  i32.and
  i32.const 6016
  i32.ne
  local.set $scratch_24
  i32.const 4
  local.set $position
  i32.const 2
  local.set $left
  local.get $scratch_24
  br_if $block
  local.get $20
  i32.const 32768
  i32.xor
  local.set $20
  i32.const 0
  local.set $13
  local.get $base
  i64.const 0
  i64.add
  local.set $17
  i32.const -2135940640
  local.set $14
  local.get $12
  if
   i32.const 0
   local.get $19
   i64.store offset=16518256
   i32.const 0
   local.get $20
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
  local.get $flag_op
  local.get $flag_dst
  local.get $flag_src
  call $store_flags
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
  local.set $21
  i32.const -1
  local.set $flag_op
  local.get $21
  i32.const 1
  i32.shr_u
  local.set $21
  i32.const 0
  i64.load offset=cpu.rip
  local.set $base
  i32.const 0
  local.set $position
  local.get $21
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
 i64.store offset=16518256
 i32.const 0
 local.get $20
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
