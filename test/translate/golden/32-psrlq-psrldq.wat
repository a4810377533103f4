;; 66 0f 73 d1 07 66 0f 73 d9 04 f4
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
 v128.load offset=cpu.xmm1
 local.set $xmm1
 local.get $fuel
 i32.const 3
 i32.sub
 local.set $fuel
 local.get $xmm1
 i32.const 7
 i64x2.shr_u
 local.set $xmm1
 local.get $xmm1
 v128.const i8x16 0x00000000000000000000000000000000
 i8x16.shuffle 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19
 local.set $xmm1
 local.get $flag_op
 local.get $flag_dst
 local.get $flag_src
 call $store_flags
 i32.const -1
 local.set $flag_op
 i32.const 0
 local.get $xmm1
 v128.store offset=cpu.xmm1
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
 local.set $12
 i32.const -1
 local.set $flag_op
 local.get $12
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
unreachable
