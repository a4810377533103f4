;; 48 03 1f 48 83 c7 08 48 ff c9 0f 85 f0 ff ff ff f4
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
 i64.load offset=cpu.rdi
 local.set $rdi
 i32.const 0
 i64.const 4611686018427387904
 i64.store offset=50334976
 i32.const 0
 i64.const 4611686018427387904
 i64.store offset=50334992
 loop
  local.get $fuel
  i32.const 4
  i32.sub
  local.set $fuel
  i32.const 0
  local.get $rcx
  i64.store offset=cpu.rcx
  i32.const 0
  local.get $rbx
  i64.store offset=cpu.rbx
  i32.const 0
  local.get $rdi
  i64.store offset=cpu.rdi
  local.get $rdi
  local.set $14
  local.get $14
  local.set $15
  local.get $15
  i32.const 0
  i64.load offset=50334976
  i64.sub
  i64.const 4088
  i64.gt_u
  if
   local.get $15
   i32.wrap_i64
   i32.const 7
   i32.shr_u
   i32.const 131040
   i32.and
   local.get $tlb
   i32.add
   local.tee $tlb_entry
   i64.load
   local.get $15
   i64.const 7
   i64.add
   i64.const -4096
   i64.and
   i64.ne
   if
    i64.const 211123412402176
    local.set $13
    br 3
   end
   i32.const 0
   local.get $15
   i64.const -4096
   i64.and
   i64.store offset=50334976
   i32.const 0
   local.get $tlb_entry
   i32.load offset=24
   i32.store offset=50334984
  end
  local.get $15
  i32.wrap_i64
  i32.const 0
  i32.load offset=50334984
  i32.add
  i64.load
  local.set $16
  local.get $rbx
  local.get $16
  i64.add
  local.set $17
  local.get $17
  local.set $rbx
  local.get $rdi
  i64.const 8
  i64.add
  local.set $14
  local.get $14
  local.set $rdi
  local.get $14
  i64.const 8
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
   i32.const 4
   i32.ge_s
   br_if 1
   i32.const 0
   local.get $rcx
   i64.store offset=cpu.rcx
   i32.const 0
   local.get $rbx
   i64.store offset=cpu.rbx
   i32.const 0
   local.get $rdi
   i64.store offset=cpu.rdi
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
  i32.const 0
  local.get $rdi
  i64.store offset=cpu.rdi
  i64.const 31
  local.get $base
  i64.const 16
  i64.add
  local.get $fuel
  local.get $flag_dst
  local.get $flag_src
  return_call $leave
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
