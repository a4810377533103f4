;; 48 01 cb 48 ff c9 0f 85 f4 ff ff ff f4
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
 i64.load offset=cpu.rcx
 local.set $rcx
 i32.const 0
 i64.load offset=cpu.rbx
 local.set $rbx
 loop
  local.get $fuel
  i32.const 3
  i32.sub
  local.set $fuel
  local.get $rcx
  local.set $13
  local.get $rbx
  local.get $13
  i64.add
  local.set $14
  local.get $14
  local.set $rbx
  local.get $14
  local.get $13
  local.set $flag_src
  local.set $flag_dst
  i32.const 7
  local.set $flag_op
  local.get $rcx
  i64.const 1
  i64.sub
  local.set $13
  local.get $13
  local.set $rcx
  local.get $13
  local.get $flag_dst
  local.get $flag_src
  i64.lt_u
  i64.extend_i32_u
  local.set $flag_src
  local.set $flag_dst
  i32.const 31
  local.set $flag_op
  local.get $flag_dst
  i64.eqz
  i32.eqz
  if
   local.get $fuel
   i32.const 3
   i32.ge_s
   br_if 1
   i32.const 0
   local.get $rcx
   i64.store offset=cpu.rcx
   i32.const 0
   local.get $rbx
   i64.store offset=cpu.rbx
   i64.const 31
   local.get $base
   local.get $fuel
   local.get $flag_dst
   local.get $flag_src
   return_call $leave
  end
  i32.const 0
  local.get $rcx
  i64.store offset=cpu.rcx
  i32.const 0
  local.get $rbx
  i64.store offset=cpu.rbx
  i64.const 31
  local.get $base
  i64.const 12
  i64.add
  local.get $fuel
  local.get $flag_dst
  local.get $flag_src
  return_call $leave
 end
 unreachable
end
unreachable
