;; 01 cb e2 fc f4
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
 i32.load offset=cpu.rcx
 local.set $rcx
 i32.const 0
 i32.load offset=cpu.rbx
 local.set $rbx
 loop
  local.get $fuel
  i32.const 2
  i32.sub
  local.set $fuel
  local.get $rcx
  local.set $13
  local.get $rbx
  local.get $13
  i32.add
  local.set $14
  local.get $14
  local.set $rbx
  local.get $14
  i64.extend_i32_u
  local.get $13
  i64.extend_i32_u
  local.set $flag_src
  local.set $flag_dst
  i32.const 6
  local.set $flag_op
  local.get $rcx
  i32.const 1
  i32.ne
  local.set $13
  local.get $13
  if
  end
  local.get $rcx
  i32.const 1
  i32.sub
  local.set $rcx
  local.get $13
  if
   local.get $fuel
   i32.const 2
   i32.ge_s
   br_if 1
   i32.const 0
   local.get $rcx
   i64.extend_i32_u
   i64.store offset=cpu.rcx
   i32.const 0
   local.get $rbx
   i64.extend_i32_u
   i64.store offset=cpu.rbx
   i64.const 6
   local.get $base
   local.get $fuel
   local.get $flag_dst
   i64.const 32
   i64.shl
   local.get $flag_src
   i64.const 32
   i64.shl
   return_call $leave
  end
  i32.const 0
  local.get $rcx
  i64.extend_i32_u
  i64.store offset=cpu.rcx
  i32.const 0
  local.get $rbx
  i64.extend_i32_u
  i64.store offset=cpu.rbx
  i64.const 6
  local.get $base
  i64.const 4
  i64.add
  local.get $fuel
  local.get $flag_dst
  i64.const 32
  i64.shl
  local.get $flag_src
  i64.const 32
  i64.shl
  return_call $leave
 end
 unreachable
end
unreachable
