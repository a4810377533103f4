;; 48 c7 c2 03 00 00 00 48 01 cb 48 ff c9 0f 85 f4 ff ff ff 48 c7 c1 03 00 00 00 48 ff ca 0f 85 e4 ff ff ff f4
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
 i64.load offset=cpu.rdx
 local.set $rdx
 i32.const 0
 i64.load offset=cpu.rbx
 local.set $rbx
 block
  local.get $fuel
  i32.const 1
  i32.sub
  local.set $fuel
  i64.const 3
  local.set $rdx
 end
 block
  i32.const 0
  local.get $rdx
  i64.store offset=cpu.rdx
  loop
   block
    loop
     local.get $fuel
     i32.const 3
     i32.sub
     local.set $fuel
     local.get $rcx
     local.set $14
     local.get $rbx
     local.get $14
     i64.add
     local.set $15
     local.get $15
     local.set $rbx
     local.get $15
     local.get $14
     local.set $flag_src
     local.set $flag_dst
     i32.const 7
     local.set $flag_op
     local.get $rcx
     i64.const 1
     i64.sub
     local.set $14
     local.get $14
     local.set $rcx
     local.get $14
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
      i32.const 8
      i32.ge_s
      br_if 1
      i32.const 0
      local.get $rcx
      i64.store offset=cpu.rcx
      i32.const 0
      local.get $rdx
      i64.store offset=cpu.rdx
      i32.const 0
      local.get $rbx
      i64.store offset=cpu.rbx
      i64.const 31
      local.get $base
      i64.const 7
      i64.add
      local.get $fuel
      local.get $flag_dst
      local.get $flag_src
      return_call $leave
     end
    end
   end
   local.get $fuel
   i32.const 3
   i32.sub
   local.set $fuel
   i64.const 3
   local.set $rcx
   local.get $rdx
   i64.const 1
   i64.sub
   local.set $14
   local.get $14
   local.set $rdx
   local.get $14
   local.get $flag_src
   i32.wrap_i64
   i32.const 1
   i32.and
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
    i32.const 8
    i32.ge_s
    br_if 1
    i32.const 0
    local.get $rcx
    i64.store offset=cpu.rcx
    i32.const 0
    local.get $rdx
    i64.store offset=cpu.rdx
    i32.const 0
    local.get $rbx
    i64.store offset=cpu.rbx
    i64.const 31
    local.get $base
    i64.const 7
    i64.add
    local.get $fuel
    local.get $flag_dst
    local.get $flag_src
    return_call $leave
   end
  end
 end
 local.get $fuel
 i32.const 1
 i32.sub
 local.set $fuel
 i32.const 0
 i32.const 31
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
 local.get $rcx
 i64.store offset=cpu.rcx
 i32.const 0
 local.get $rdx
 i64.store offset=cpu.rdx
 i32.const 0
 local.get $rbx
 i64.store offset=cpu.rbx
 i32.const 0
 local.get $fuel
 i32.store offset=cpu.fuel
 local.get $slot
 i32.const 2
 i32.shl
 i32.load offset=52559872
 i32.load offset=12
 local.get $base
 i64.const 35
 i64.add
 call $execute
 local.set $16
 i32.const -1
 local.set $flag_op
 local.get $16
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
