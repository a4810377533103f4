;; 48 39 d8 0f 9c c2 f4
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
 i64.load offset=cpu.rdx
 local.set $rdx
 i32.const 0
 i64.load offset=cpu.rbx
 local.set $rbx
 local.get $fuel
 i32.const 3
 i32.sub
 local.set $fuel
 local.get $rax
 local.get $rbx
 local.set $flag_src
 local.set $flag_dst
 i32.const 15
 local.set $flag_op
 local.get $rdx
 i64.const -256
 i64.and
 local.get $flag_dst
 local.get $flag_src
 i64.lt_s
 i64.extend_i32_u
 i64.const 255
 i64.and
 i64.or
 local.set $rdx
 i32.const 0
 i32.const 15
 i32.store offset=cpu.flag_op
 i32.const 0
 local.get $flag_dst
 i64.store offset=cpu.flag_dst
 i32.const 0
 local.get $flag_src
 i64.store offset=cpu.flag_src
 i32.const -1
 local.set $flag_op
 i32.const 0
 local.get $rdx
 i64.store offset=cpu.rdx
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
