;; 01 d8 f4
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
 i32.load offset=cpu.rax
 local.set $rax
 i32.const 0
 i32.load offset=cpu.rbx
 local.set $rbx
 local.get $fuel
 i32.const 2
 i32.sub
 local.set $fuel
 local.get $rbx
 i32.const 65535
 i32.and
 local.set $13
 local.get $rax
 i32.const 65535
 i32.and
 local.get $13
 i32.add
 local.set $14
 local.get $rax
 i32.const -65536
 i32.and
 local.get $14
 i32.const 65535
 i32.and
 i32.or
 local.set $rax
 local.get $14
 i64.extend_i32_u
 local.get $13
 i64.extend_i32_u
 local.set $flag_src
 local.set $flag_dst
 i32.const 5
 local.set $flag_op
 i32.const 0
 i32.const 5
 i32.store offset=cpu.flag_op
 i32.const 0
 local.get $flag_dst
 i64.const 48
 i64.shl
 i64.store offset=cpu.flag_dst
 i32.const 0
 local.get $flag_src
 i64.const 48
 i64.shl
 i64.store offset=cpu.flag_src
 i32.const -1
 local.set $flag_op
 i32.const 0
 local.get $rax
 i64.extend_i32_u
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
