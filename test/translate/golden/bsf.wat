;; 48 0f bc c3 f4
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
 i64.load offset=cpu.rax
 local.set $rax
 i32.const 0
 i64.load offset=cpu.rbx
 local.set $rbx
 local.get $fuel
 i32.const 2
 i32.sub
 local.set $fuel
 local.get $rbx
 local.set $13
 local.get $13
 local.set $flag_dst
 i32.const 23
 local.set $flag_op
 local.get $13
 i64.const 0
 i64.ne
 if
  local.get $13
  i64.ctz
  local.set $rax
 end
 i32.const 0
 i32.const 23
 i32.store offset=cpu.flag_op
 i32.const 0
 local.get $flag_dst
 i64.store offset=cpu.flag_dst
 i32.const -1
 local.set $flag_op
 i32.const 0
 local.get $rax
 i64.store offset=cpu.rax
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
 local.set $14
 i32.const -1
 local.set $flag_op
 local.get $14
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
