// The smallest VMM: a guest of twelve bytes adds two numbers, prints the sum on a serial port, and halts.
//
//   npm run build && node examples/hello.js
import { KVM_EXIT_HLT, KVM_EXIT_IO, KVM_EXIT_MMIO, Kvm } from "wkvm";

// 16-bit code, as a processor starts in real mode.
const code = Uint8Array.of(
  ...[0xba, 0xf8, 0x03], // mov dx, 0x3f8
  ...[0x00, 0xd8], //       add al, bl
  ...[0x04, 0x30], //       add al, '0'
  0xee, //                  out dx, al
  ...[0xb0, 0x0a], //       mov al, '\n'
  0xee, //                  out dx, al
  0xf4, //                  hlt
);

const kvm = await Kvm.open();
const vm = kvm.createVm({ memorySize: 64 << 20 });
const userspaceAddr = vm.allocate(0x1000);
vm.setUserMemoryRegion({ slot: 0, flags: 0, guestPhysAddr: 0x1000n, memorySize: 0x1000n, userspaceAddr });
new Uint8Array(vm.memory, userspaceAddr).set(code);

const vcpu = vm.createVcpu(0);
const sregs = vcpu.getSregs();
sregs.cs.base = 0n;
sregs.cs.selector = 0;
vcpu.setSregs(sregs);
vcpu.setRegs({ ...vcpu.getRegs(), rip: 0x1000n, rax: 2n, rbx: 2n, rflags: 2n });

for (;;) {
  const exit = vcpu.run();
  if (exit.reason === KVM_EXIT_IO) process.stdout.write(exit.data);
  else if (exit.reason === KVM_EXIT_MMIO) exit.data.fill(0xff);
  else if (exit.reason === KVM_EXIT_HLT) break;
  else throw new Error(`the guest left for reason ${exit.reason}`);
}
