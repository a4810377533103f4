;; f7 f3 f4
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
 i32.const 2
 i32.sub
 local.set $fuel
 local.get $rbx
 i32.wrap_i64
 local.set $14
 local.get $rdx
 i32.wrap_i64
 local.set $15
 local.get $15
 local.get $14
 i32.lt_u
 local.set $16
 local.get $16
 if
  local.get $14
  i64.extend_i32_u
  local.set $17
  local.get $rax
  i32.wrap_i64
  i64.extend_i32_u
  local.get $15
  i64.extend_i32_u
  i64.const 32
  i64.shl
  i64.or
  local.set $18
  local.get $18
  local.get $17
  i64.div_u
  local.set $19
  local.get $19
  i32.wrap_i64
  i64.extend_i32_u
  local.set $rax
  local.get $18
  local.get $19
  local.get $17
  i64.mul
  i64.sub
  i32.wrap_i64
  i64.extend_i32_u
  local.set $rdx
 end
 local.get $16
 i32.eqz
 if
  i32.const 0
  local.get $rax
  i64.store offset=cpu.rax
  i32.const 0
  local.get $rdx
  i64.store offset=cpu.rdx
  local.get $14
  call $helper
  global.get $fault
  if
   i64.const 70377334112256
   local.set $13
   br 2
  end
  i32.const 0
  i64.load offset=cpu.rax
  local.set $rax
  i32.const 0
  i64.load offset=cpu.rdx
  local.set $rdx
 end
 local.get $flag_op
 local.get $flag_dst
 local.get $flag_src
 call $store_flags
 i32.const -1
 local.set $flag_op
 i32.const 0
 local.get $rax
 i64.store offset=cpu.rax
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
