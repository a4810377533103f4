// One stub for each vector, 16 bytes apart, that makes a struct frame (trap.h).
  .text
  .globl trap_stub
  .globl trap_stubs
#ifdef __x86_64__
trap_stub:
  mov %edi, %eax
  shl $4, %eax
  add $trap_stubs, %eax
  ret
#else
trap_stub:
  mov 4(%esp), %eax
  shl $4, %eax
  add $trap_stubs, %eax
  ret
#endif

  .align 16
trap_stubs:
  .set vector, 0
  .rept 256
  .align 16
  .if vector != 8 && (vector < 10 || vector > 14) && vector != 17
  push $0
  .endif
#ifdef __x86_64__
  pushq $vector
#else
  pushl $vector
#endif
  jmp common
  .set vector, vector + 1
  .endr

#ifdef __x86_64__
common:
  push %rax
  push %rcx
  push %rdx
  push %rbx
  push %rbp
  push %rsi
  push %rdi
  push %r8
  push %r9
  push %r10
  push %r11
  push %r12
  push %r13
  push %r14
  push %r15
  cld
  mov %rsp, %rdi
  mov %rsp, %rbp
  and $-16, %rsp
  call take_trap
  mov %rbp, %rsp
  test %al, %al
  jz resume
  pop %r15
  pop %r14
  pop %r13
  pop %r12
  pop %r11
  pop %r10
  pop %r9
  pop %r8
  pop %rdi
  pop %rsi
  pop %rbp
  pop %rbx
  pop %rdx
  pop %rcx
  pop %rax
  add $16, %rsp
  iretq
resume:
  mov $0x10, %eax
  mov %eax, %ss
  mov resume_sp, %rsp
  mov %eax, %ds
  mov %eax, %es
  push $2
  popf
  jmp *resume_ip
#else
common:
  pusha
  push %ds
  push %es
  push %fs
  push %gs
  mov $0x10, %eax
  mov %eax, %ds
  mov %eax, %es
  mov %eax, %fs
  mov %eax, %gs
  cld
  mov %esp, %ebp
  push %ebp
  call take_trap
  mov %ebp, %esp
  test %al, %al
  jz resume
  pop %gs
  pop %fs
  pop %es
  pop %ds
  popa
  add $8, %esp
  iret
resume:
  mov $0x10, %eax
  mov %eax, %ss
  mov resume_sp, %esp
  push $2
  popf
  jmp *resume_ip
#endif
  .section .note.GNU-stack, "", @progbits
