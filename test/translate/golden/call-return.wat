;; e8 0e 00 00 00 48 ff c9 0f 85 f2 ff ff ff e9 04 00 00 00 48 01 cb c3 f4
block $block
 block $block4
  i32.const 0
  i64.load offset=cpu.rip
  local.get $base
  i64.sub
  i32.wrap_i64
  local.set $position
  i32.const 0
  i32.load offset=cpu.fuel
  local.set $fuel
  i32.const -1
  local.set $flag_op
  global.get $tlb
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
  loop $label
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
   br_if $block
   block $block3
    block $block2
     block $block1
      local.get $entry
      br_table $block1 $block2 $block3
     end
     local.get $fuel
     i32.const 2
     i32.sub
     local.set $fuel
     local.get $rcx
     local.set $15
     local.get $rbx
     local.get $15
     i64.add
     local.set $16
     local.get $16
     local.set $rbx
     local.get $16
     local.set $scratch
     local.get $15
     local.set $flag_src
     local.get $scratch
     local.set $flag_dst
     i32.const 7
     local.set $flag_op
     local.get $rsp
     local.set $15
     local.get $15
     i32.wrap_i64
     i32.const 7
     i32.shr_u
     i32.const 16352
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
     local.set $scratch_20
     i32.const 22
     local.set $position
     i32.const 1
     local.set $left
     local.get $scratch_20
     br_if $block4
     local.get $15
     i32.wrap_i64
     local.get $tlb_entry
     i32.load offset=24
     i32.add
     i64.load align=1
     local.set $16
     local.get $16
     i64.const 16
     i64.shl
     i64.const 16
     i64.shr_s
     local.get $16
     i64.ne
     br_if $block4
     local.get $rsp
     i64.const 8
     i64.add
     local.set $rsp
     local.get $16
     local.set $17
     local.get $17
     local.get $base
     i64.sub
     local.tee $18
     i64.const 5
     i64.eq
     if
      br $block2
     end
     local.get $18
     i64.const 19
     i64.eq
     if
      i32.const 19
      local.set $position
      i32.const 0
      local.set $left
      i32.const 0
      local.set $entry
      br $label
     end
     local.get $18
     i64.const 0
     i64.eq
     if
      i32.const 0
      local.set $position
      i32.const 0
      local.set $left
      i32.const 2
      local.set $entry
      br $label
     end
     local.get $17
     local.set $base
     i32.const 0
     local.set $position
     i32.const 0
     local.set $left
     br $block
    end
    local.get $fuel
    i32.const 2
    i32.sub
    local.set $fuel
    local.get $rcx
    i64.const 1
    i64.sub
    local.set $15
    local.get $15
    local.set $rcx
    local.get $15
    local.set $scratch_21
    i32.const 2
    local.get $flag_op
    local.get $flag_dst
    local.get $flag_src
    call $condition
    i64.extend_i32_u
    local.set $flag_src
    local.get $scratch_21
    local.set $flag_dst
    i32.const 31
    local.set $flag_op
    local.get $flag_dst
    i64.eqz
    i32.eqz
    br_if $block3
    i32.const 14
    local.set $position
    i32.const 0
    local.set $left
    br $block
   end
   local.get $fuel
   i32.const 1
   i32.sub
   local.set $fuel
   local.get $rsp
   i64.const 8
   i64.sub
   local.set $15
   local.get $15
   local.set $16
   local.get $16
   i32.wrap_i64
   i32.const 7
   i32.shr_u
   i32.const 16352
   i32.and
   local.get $tlb
   i32.add
   local.tee $tlb_entry
   i64.load offset=8
   local.get $16
   i64.const 7
   i64.add
   i64.const -4096
   i64.and
   i64.ne
   local.set $scratch_22
   i32.const 0
   local.set $position
   i32.const 1
   local.set $left
   local.get $scratch_22
   br_if $block4
   local.get $16
   i32.wrap_i64
   local.get $tlb_entry
   i32.load offset=24
   i32.add
   local.get $base
   i64.const 5
   i64.add
   i64.store align=1
   local.get $15
   local.set $rsp
   i32.const 19
   local.set $position
   i32.const 0
   local.set $left
   i32.const 0
   local.set $entry
   br $label
  end
  unreachable
 end
 i32.const 1
 local.set $status
end
i32.const 0
local.get $rcx
i64.store offset=cpu.rcx
i32.const 0
local.get $rbx
i64.store offset=cpu.rbx
i32.const 0
local.get $rsp
i64.store offset=cpu.rsp
i32.const 0
local.get $fuel
local.get $left
i32.add
i32.store offset=cpu.fuel
i32.const 0
local.get $base
local.get $position
i64.extend_i32_s
i64.add
i64.store offset=cpu.rip
;; the flags go back as in mov-register.wat
