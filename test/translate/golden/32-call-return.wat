;; e8 05 00 00 00 e9 03 00 00 00 01 cb c3 f4
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
 i32.const 0
 i32.load offset=cpu.rsp
 local.set $rsp
 loop
  block
   block
    block
     local.get $entry
     br_table 0 1 2
    end
    local.get $fuel
    i32.const 1
    i32.sub
    local.set $fuel
    local.get $base
    i64.const 5
    i64.add
    local.set $14
    local.get $rsp
    i32.const 4
    i32.sub
    local.set $15
    local.get $15
    i64.extend_i32_u
    local.set $16
    local.get $16
    i32.wrap_i64
    i32.const 7
    i32.shr_u
    i32.const 131040
    i32.and
    local.get $tlb
    i32.add
    local.tee $tlb_entry
    i64.load offset=8
    local.get $16
    i64.const 3
    i64.add
    i64.const -4096
    i64.and
    i64.ne
    if
     i64.const 211110527500288
     local.set $13
     br 4
    end
    local.get $16
    i32.wrap_i64
    local.get $tlb_entry
    i32.load offset=24
    i32.add
    local.get $14
    i32.wrap_i64
    i32.store
    local.get $15
    local.set $rsp
    br 0
   end
   local.get $fuel
   i32.const 2
   i32.sub
   local.set $fuel
   local.get $rcx
   local.set $15
   local.get $rbx
   local.get $15
   i32.add
   local.set $17
   local.get $17
   local.set $rbx
   local.get $17
   i64.extend_i32_u
   local.get $15
   i64.extend_i32_u
   local.set $flag_src
   local.set $flag_dst
   i32.const 6
   local.set $flag_op
   i32.const 0
   local.get $rbx
   i64.extend_i32_u
   i64.store offset=cpu.rbx
   i32.const 0
   local.get $rsp
   i64.extend_i32_u
   i64.store offset=cpu.rsp
   local.get $rsp
   local.set $15
   local.get $15
   i64.extend_i32_u
   local.set $14
   local.get $14
   i32.wrap_i64
   i32.const 7
   i32.shr_u
   i32.const 131040
   i32.and
   local.get $tlb
   i32.add
   local.tee $tlb_entry
   i64.load
   local.get $14
   i64.const 3
   i64.add
   i64.const -4096
   i64.and
   i64.ne
   if
    i64.const 1829591643586572
    local.set $13
    br 3
   end
   local.get $14
   i32.wrap_i64
   local.get $tlb_entry
   i32.load offset=24
   i32.add
   i32.load
   local.set $17
   local.get $rsp
   i64.const 4
   i32.wrap_i64
   i32.add
   local.set $rsp
   local.get $17
   i64.extend_i32_u
   local.set $16
   local.get $16
   local.get $base
   i64.sub
   local.set $18
   local.get $18
   i64.const 5
   i64.eq
   if
    br 1
   end
   block
    block
     local.get $18
     i64.const 0
     i64.eq
     if
      i32.const 0
      local.set $entry
      br 1
     end
     br 1
    end
    i32.const 0
    local.get $rsp
    i64.extend_i32_u
    i64.store offset=cpu.rsp
    local.get $fuel
    i32.const 5
    i32.sub
    i32.const 0
    i32.const 0
    i32.load offset=cpu.requests
    i32.sub
    i32.or
    i32.const 0
    i32.ge_s
    i32.eqz
    if
     i64.const 6
     local.get $16
     local.get $fuel
     local.get $flag_dst
     i64.const 32
     i64.shl
     local.get $flag_src
     i64.const 32
     i64.shl
     return_call $leave
    end
    br 2
   end
   i32.const 0
   local.get $rsp
   i64.extend_i32_u
   i64.store offset=cpu.rsp
   i64.const 6
   local.get $16
   local.get $fuel
   local.get $flag_dst
   i64.const 32
   i64.shl
   local.get $flag_src
   i64.const 32
   i64.shl
   return_call $leave
  end
  block
   local.get $fuel
   i32.const 1
   i32.sub
   local.set $fuel
   br 0
  end
  local.get $fuel
  i32.const 1
  i32.sub
  local.set $fuel
  local.get $flag_op
  local.get $flag_dst
  local.get $flag_src
  call $store_flags
  i32.const -1
  local.set $flag_op
  i32.const 0
  local.get $rsp
  i64.extend_i32_u
  i64.store offset=cpu.rsp
  i32.const 0
  local.get $fuel
  i32.store offset=cpu.fuel
  local.get $slot
  i32.const 2
  i32.shl
  i32.load offset=52559872
  i32.load offset=12
  local.get $base
  i64.const 13
  i64.add
  call $execute
  local.set $15
  i32.const -1
  local.set $flag_op
  local.get $15
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
end
local.get $13
i64.const 70368744177664
i64.and
i64.eqz
i32.eqz
if
 local.get $13
 i64.const 70368744177664
 i64.xor
 local.get $flag_op
 i64.extend_i32_u
 i64.const 48
 i64.shl
 i64.or
 local.set $13
end
local.get $13
local.get $base
local.get $fuel
local.get $flag_dst
local.get $flag_src
return_call $miss
