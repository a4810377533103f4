;; e8 0e 00 00 00 48 ff c9 0f 85 f2 ff ff ff e9 04 00 00 00 48 01 cb c3 f4
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
 i32.const 0
 i64.load offset=cpu.rsp
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
    i32.const 0
    local.get $rcx
    i64.store offset=cpu.rcx
    i32.const 0
    local.get $rsp
    i64.store offset=cpu.rsp
    local.get $rsp
    i64.const 8
    i64.sub
    local.set $14
    local.get $14
    local.set $15
    local.get $15
    i32.wrap_i64
    i32.const 7
    i32.shr_u
    i32.const 131040
    i32.and
    local.get $tlb
    i32.add
    local.tee $tlb_entry
    i64.load offset=8
    local.get $15
    i64.const 7
    i64.add
    i64.const -4096
    i64.and
    i64.ne
    if
     i64.const 211110527500288
     local.set $13
     br 4
    end
    local.get $15
    i32.wrap_i64
    local.get $tlb_entry
    i32.load offset=24
    i32.add
    local.get $base
    i64.const 5
    i64.add
    i64.store
    local.get $14
    local.set $rsp
    br 0
   end
   local.get $fuel
   i32.const 2
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
   i32.const 0
   local.get $rbx
   i64.store offset=cpu.rbx
   i32.const 0
   local.get $rsp
   i64.store offset=cpu.rsp
   local.get $rsp
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
   i64.const 7
   i64.add
   i64.const -4096
   i64.and
   i64.ne
   if
    i64.const 2111066620297238
    local.set $13
    br 3
   end
   local.get $14
   i32.wrap_i64
   local.get $tlb_entry
   i32.load offset=24
   i32.add
   i64.load
   local.set $15
   local.get $15
   i64.const 16
   i64.shl
   i64.const 16
   i64.shr_s
   local.get $15
   i64.ne
   if
    i64.const 1970329131941910
    local.set $13
    br 3
   end
   local.get $rsp
   i64.const 8
   i64.add
   local.set $rsp
   local.get $15
   local.set $16
   local.get $16
   local.get $base
   i64.sub
   local.set $17
   local.get $17
   i64.const 5
   i64.eq
   if
    br 1
   end
   block
    block
     local.get $17
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
     i64.const 7
     local.get $16
     local.get $fuel
     local.get $flag_dst
     local.get $flag_src
     return_call $leave
    end
    br 2
   end
   i32.const 0
   local.get $rsp
   i64.store offset=cpu.rsp
   i64.const 7
   local.get $16
   local.get $fuel
   local.get $flag_dst
   local.get $flag_src
   return_call $leave
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
  local.set $18
  local.get $18
  i32.const 3
  i32.eq
  if (result i32)
   local.get $flag_dst
   local.get $flag_src
   i64.lt_u
  else
   i32.const 1249
   local.get $18
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
    local.get $18
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
   i32.const 0
   local.set $entry
   i32.const 0
   local.get $rcx
   i64.store offset=cpu.rcx
   i32.const 0
   local.get $rsp
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
    i64.const 31
    local.get $base
    local.get $fuel
    local.get $flag_dst
    local.get $flag_src
    return_call $leave
   end
   br 1
  end
  i32.const 0
  local.get $rcx
  i64.store offset=cpu.rcx
  i32.const 0
  local.get $rsp
  i64.store offset=cpu.rsp
  i64.const 31
  local.get $base
  i64.const 14
  i64.add
  local.get $fuel
  local.get $flag_dst
  local.get $flag_src
  return_call $leave
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
