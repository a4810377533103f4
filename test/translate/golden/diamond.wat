;; f6 c1 01 0f 84 08 00 00 00 48 ff c0 e9 03 00 00 00 48 ff cb 48 ff c9 0f 85 e3 ff ff ff f4
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
 i64.load offset=cpu.rcx
 local.set $rcx
 i32.const 0
 i64.load offset=cpu.rbx
 local.set $rbx
 loop
  block
   block
    block
     local.get $fuel
     i32.const 2
     i32.sub
     local.set $fuel
     local.get $rcx
     i32.wrap_i64
     i32.const 255
     i32.and
     i32.const 1
     i32.and
     i64.extend_i32_u
     local.set $flag_dst
     i32.const 20
     local.set $flag_op
     local.get $flag_dst
     i32.wrap_i64
     i32.eqz
     br_if 0
     br 1
    end
    local.get $fuel
    i32.const 1
    i32.sub
    local.set $fuel
    local.get $rbx
    i64.const 1
    i64.sub
    local.set $14
    local.get $14
    local.set $rbx
    local.get $14
    i32.const 0
    i64.extend_i32_u
    local.set $flag_src
    local.set $flag_dst
    i32.const 31
    local.set $flag_op
    br 1
   end
   local.get $fuel
   i32.const 2
   i32.sub
   local.set $fuel
   local.get $rax
   i64.const 1
   i64.add
   local.set $14
   local.get $14
   local.set $rax
   local.get $14
   i32.const 0
   i64.extend_i32_u
   local.set $flag_src
   local.set $flag_dst
   i32.const 27
   local.set $flag_op
   br 0
  end
  local.get $fuel
  i32.const 2
  i32.sub
  local.set $fuel
  local.get $rcx
  i64.const 1
  i64.sub
  local.set $14
  local.get $14
  local.set $rcx
  local.get $14
  local.get $flag_op
  i32.const 2
  i32.shr_u
  local.set $15
  local.get $15
  i32.const 3
  i32.eq
  if (result i32)
   local.get $flag_dst
   local.get $flag_src
   i64.lt_u
  else
   i32.const 1249
   local.get $15
   i32.shr_u
   i32.const 1
   i32.and
   i32.eqz
   if (result i32)
    i32.const 2
    local.get $flag_op
    local.get $flag_dst
    local.get $flag_src
    call $condition
   else
    local.get $flag_src
    i32.wrap_i64
    local.get $15
    i32.const 5
    i32.ne
    i32.and
   end
  end
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
   i32.const 7
   i32.ge_s
   br_if 1
   i32.const 0
   local.get $rax
   i64.store offset=cpu.rax
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
  local.get $rax
  i64.store offset=cpu.rax
  i32.const 0
  local.get $rcx
  i64.store offset=cpu.rcx
  i32.const 0
  local.get $rbx
  i64.store offset=cpu.rbx
  i64.const 31
  local.get $base
  i64.const 29
  i64.add
  local.get $fuel
  local.get $flag_dst
  local.get $flag_src
  return_call $leave
 end
 unreachable
end
unreachable
