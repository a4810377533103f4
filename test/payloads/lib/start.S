// Entry by multiboot: 32-bit protected mode, flat segments, no paging, no stack. Goes on to payload_main() in the mode
// that the payload is compiled for; long mode gets an identity map of 4 GiB in 2 MiB pages that level 3 may use.
#define CODE0 0x08
#define DATA0 0x10
#define STACK_SIZE 0x8000

  .section .multiboot, "a"
  .align 4
  .long 0x1badb002, 0, -0x1badb002

  .text
  .code32
  .globl start
start:
  cli
  cld
  mov $stack_top, %esp
#ifdef __x86_64__
  // Page directories: 2048 entries of 2 MiB. Nothing of the BSS but these is written before the stack is in use.
  mov $boot_directories, %edi
  mov $0x87, %eax
1:
  mov %eax, (%edi)
  movl $0, 4(%edi)
  add $0x200000, %eax
  add $8, %edi
  cmp $boot_directories + 0x4000, %edi
  jne 1b
  mov $boot_directories + 7, %eax
  mov %eax, boot_pointers
  add $0x1000, %eax
  mov %eax, boot_pointers + 8
  add $0x1000, %eax
  mov %eax, boot_pointers + 16
  add $0x1000, %eax
  mov %eax, boot_pointers + 24
  movl $boot_pointers + 7, boot_map
  mov $boot_map, %eax
  mov %eax, %cr3
  mov $0x20, %eax
  mov %eax, %cr4
  mov $0xc0000080, %ecx
  xor %edx, %edx
  mov $0x100, %eax
  wrmsr
  mov $0x80000011, %eax
  mov %eax, %cr0
  lgdt boot_gdt_pointer
  ljmp $CODE0, $1f
  .code64
1:
  mov $stack_top, %rsp
#else
  mov $0x11, %eax
  mov %eax, %cr0
  lgdt boot_gdt_pointer
  ljmp $CODE0, $1f
1:
#endif
  mov $DATA0, %eax
  mov %eax, %ds
  mov %eax, %es
  mov %eax, %ss
  mov %eax, %fs
  mov %eax, %gs
  call payload_start
0:
  hlt
  jmp 0b

  .data
  .align 8
boot_gdt:
  .quad 0
#ifdef __x86_64__
  .quad 0x00af9b000000ffff
#else
  .quad 0x00cf9b000000ffff
#endif
  .quad 0x00cf93000000ffff
boot_gdt_pointer:
  .word 23
  .long boot_gdt, 0

  .bss
  .align 4096
#ifdef __x86_64__
  .globl boot_map
boot_map: .skip 0x1000
boot_pointers: .skip 0x1000
boot_directories: .skip 0x4000
#endif
  .skip STACK_SIZE
stack_top:
  .section .note.GNU-stack, "", @progbits
