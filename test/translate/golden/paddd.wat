;; 66 0f fe c1 f4
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
 v128.load offset=cpu.xmm0
 local.set $xmm0
 i32.const 0
 v128.load offset=cpu.xmm1
 local.set $xmm1
 local.get $fuel
 i32.const 2
 i32.sub
 local.set $fuel
 local.get $xmm0
 local.get $xmm1
 i32x4.add
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
 local.get $slot
 i32.const 2
 i32.shl
 i32.load offset=52559872
 i32.load offset=12
 local.get $base
 i64.const 0
 i64.add
 call $execute
 local.set $13
 i32.const -1
 local.set $flag_op
 local.get $13
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
