import assert from "node:assert/strict";
import { test } from "node:test";
import {
  exitName,
  type IoExit,
  KVM_EXIT_FAIL_ENTRY,
  KVM_EXIT_HLT,
  KVM_EXIT_INTERNAL_ERROR,
  KVM_EXIT_INTR,
  KVM_EXIT_IO,
  KVM_EXIT_IO_IN,
  KVM_EXIT_IO_OUT,
  KVM_EXIT_SHUTDOWN,
  type MmioExit,
  type VcpuExit,
} from "../../host/kvm/index.ts";
import { CODE, makeGuest, RAM_SIZE } from "./guest.ts";

function io(exit: VcpuExit): IoExit {
  assert.equal(exitName(exit.reason), "IO");
  return exit as IoExit;
}

function mmio(exit: VcpuExit): MmioExit {
  assert.equal(exitName(exit.reason), "MMIO");
  return exit as MmioExit;
}

test("PAUSE makes run() return only where vCPUs take turns", async () => {
  const code = [0xb9, 3, 0, 0xf3, 0x90, 0x49, 0x75, 0xfb, 0xf4]; // mov cx, 3; again: pause; dec cx; jnz again; hlt
  const { vcpu: alone } = await makeGuest(code);
  assert.equal(alone.run().reason, KVM_EXIT_HLT);
  const { vcpu } = await makeGuest(code, { pauseYields: true });
  const exit = vcpu.run();
  assert.ok(exit.reason === KVM_EXIT_INTR && !exit.halted, exitName(exit.reason));
  while (vcpu.run().reason === KVM_EXIT_INTR);
  assert.equal(vcpu.getRegs().rcx & 0xffffn, 0n);
  assert.equal(vcpu.getRegs().rip, BigInt(CODE + code.length));
});

test("the program of the design's section 6 prints its sum", async () => {
  // mov dx, 0x3f8; add al, bl; add al, '0'; out dx, al; mov al, '\n'; out dx, al; hlt
  const { vcpu } = await makeGuest([0xba, 0xf8, 0x03, 0x00, 0xd8, 0x04, 0x30, 0xee, 0xb0, 0x0a, 0xee, 0xf4]);
  vcpu.setRegs({ ...vcpu.getRegs(), rax: 2n, rbx: 2n });
  let text = "";
  for (;;) {
    const exit = vcpu.run();
    if (exit.reason === KVM_EXIT_HLT) break;
    const { direction, port, size, count, data } = io(exit);
    assert.deepEqual({ direction, port, size, count }, { direction: KVM_EXIT_IO_OUT, port: 0x3f8, size: 1, count: 1 });
    text += String.fromCharCode(...data);
  }
  assert.equal(text, "4\n");
  assert.equal(vcpu.getRegs().rip, BigInt(CODE + 12));
});

test("IN takes what the caller put into data, in each size", async () => {
  // in al, 0x10; mov bl, al; in ax, 0x10; mov cx, ax; in eax, 0x10; hlt
  const code = [0xe4, 0x10, 0x88, 0xc3, 0xe5, 0x10, 0x89, 0xc1, 0x66, 0xe5, 0x10, 0xf4];
  const { vcpu } = await makeGuest(code);
  const sizes: number[] = [];
  for (let i = 0; i < 3; i++) {
    const exit = io(vcpu.run());
    assert.equal(exit.direction, KVM_EXIT_IO_IN);
    assert.equal(exit.port, 0x10);
    sizes.push(exit.size);
    assert.equal(exit.data.length, exit.size);
    exit.data.set([0x11, 0x22, 0x33, 0x44].slice(0, exit.size));
  }
  assert.equal(vcpu.run().reason, KVM_EXIT_HLT);
  assert.deepEqual(sizes, [1, 2, 4]);
  const regs = vcpu.getRegs();
  assert.equal(regs.rbx & 0xffn, 0x11n);
  assert.equal(regs.rcx & 0xffffn, 0x2211n);
  assert.equal(regs.rax, 0x44332211n);
});

test("an instruction that waits for its answer shows the registers before it", async () => {
  const { vcpu } = await makeGuest([0xe4, 0x10, 0xf4]); // in al, 0x10; hlt
  vcpu.run();
  assert.equal(vcpu.getRegs().rip, BigInt(CODE));
  assert.equal(vcpu.getRegs().rax, 0n);
});

test("an access is void when the host moves rip away from it", async () => {
  const { vcpu } = await makeGuest([0xe4, 0x10, 0xf4, 0xe4, 0x10, 0xf4]); // in al, 0x10; hlt; in al, 0x10; hlt
  io(vcpu.run()).data[0] = 1;
  vcpu.setRegs({ ...vcpu.getRegs(), rip: CODE + 3 });
  io(vcpu.run()).data[0] = 2;
  assert.equal(vcpu.run().reason, KVM_EXIT_HLT);
  assert.equal(vcpu.getRegs().rax, 2n);
});

test("REP OUTSB arrives with its count, REP INSW takes all its data", async () => {
  // mov si, 0x2000; mov cx, 5; mov dx, 0x99; rep outsb; mov di, 0x3000; mov cx, 3; rep insw; hlt
  const code = [
    0xbe, 0x00, 0x20, 0xb9, 0x05, 0x00, 0xba, 0x99, 0x00, 0xf3, 0x6e, 0xbf, 0x00, 0x30, 0xb9, 0x03, 0x00, 0xf3, 0x6d,
    0xf4,
  ];
  const { vcpu, ram, load } = await makeGuest(code);
  load(0x2000, [104, 101, 108, 108, 111]);
  let sent = "";
  const given = [1, 2, 3, 4, 5, 6];
  const directions = new Set<number>();
  for (;;) {
    const exit = vcpu.run();
    if (exit.reason === KVM_EXIT_HLT) break;
    const { direction, size, count, data } = io(exit);
    directions.add(direction);
    assert.equal(data.length, size * count);
    if (direction === KVM_EXIT_IO_OUT) sent += String.fromCharCode(...data);
    else data.set(given.splice(0, data.length));
  }
  assert.equal(sent, "hello");
  assert.deepEqual([...ram.subarray(0x3000, 0x3006)], [1, 2, 3, 4, 5, 6]);
  assert.equal(directions.size, 2);
  assert.equal(vcpu.getRegs().rcx, 0n);
});

test("reads and writes outside of slots are MMIO exits, of every size", async () => {
  // mov al, [eax]; mov [edi], bx; mov ecx, [eax]; hlt  (32-bit)
  const code = [0x8a, 0x00, 0x66, 0x89, 0x1f, 0x8b, 0x08, 0xf4];
  const { vcpu } = await makeGuest(code, { mode: "protected" });
  vcpu.setRegs({ ...vcpu.getRegs(), rax: 0xd000_0000n, rdi: 0xd000_0100n, rbx: 0xbeefn });
  const first = mmio(vcpu.run());
  assert.deepEqual([first.physAddr, first.len, first.isWrite], [0xd000_0000n, 1, false]);
  first.data[0] = 0;
  const second = mmio(vcpu.run());
  assert.deepEqual([second.physAddr, second.len, second.isWrite], [0xd000_0100n, 2, true]);
  assert.deepEqual([...second.data], [0xef, 0xbe]);
  const third = mmio(vcpu.run());
  assert.deepEqual([third.physAddr, third.len, third.isWrite], [0xd000_0000n, 4, false]);
  third.data.set([1, 2, 3, 4]);
  assert.equal(vcpu.run().reason, KVM_EXIT_HLT);
  assert.equal(vcpu.getRegs().rcx, 0x04030201n);
});

test("an instruction with several MMIO accesses gives each once, in order", async () => {
  // add dword [eax], 5; movsd; hlt  (32-bit)
  const { vcpu } = await makeGuest([0x83, 0x00, 0x05, 0xa5, 0xf4], { mode: "protected" });
  vcpu.setRegs({ ...vcpu.getRegs(), rax: 0xd000_0000n, rsi: 0xd000_1000n, rdi: 0xd000_2000n });
  const seen: string[] = [];
  for (;;) {
    const exit = vcpu.run();
    if (exit.reason === KVM_EXIT_HLT) break;
    const access = mmio(exit);
    seen.push(`${access.isWrite ? "w" : "r"}${access.physAddr.toString(16)}=${access.data[0]}`);
    if (!access.isWrite) access.data[0] = 7;
  }
  assert.deepEqual(seen, ["rd0000000=0", "wd0000000=12", "rd0001000=0", "wd0002000=7"]);
});

test("REP INSB and OUTSB move any number of bytes between a port and a device, reading nothing they write", async () => {
  // mov dx, 0x10; mov di, 0; mov cx, 40; rep insb; mov si, 0; mov cx, 40; rep outsb; hlt (ES and DS at 0x200000)
  const insb = [0xba, 0x10, 0x00, 0xbf, 0x00, 0x00, 0xb9, 0x28, 0x00, 0xf3, 0x6c];
  const outsb = [0xbe, 0x00, 0x00, 0xb9, 0x28, 0x00, 0xf3, 0x6e, 0xf4];
  const { vcpu } = await makeGuest([...insb, ...outsb]);
  const sregs = vcpu.getSregs();
  sregs.es.base = 0x20_0000n;
  sregs.ds.base = 0x20_0000n;
  vcpu.setSregs(sregs);
  const device = new Map<bigint, number>();
  const sent: number[] = [];
  for (;;) {
    const exit = vcpu.run();
    if (exit.reason === KVM_EXIT_HLT) break;
    if (exit.reason === KVM_EXIT_IO) {
      const { direction, data } = io(exit);
      if (direction === KVM_EXIT_IO_OUT) sent.push(...data);
      else data.forEach((_, i) => (data[i] = 100 + device.size));
    } else {
      const { physAddr, isWrite, data } = mmio(exit);
      if (isWrite) device.set(physAddr, data[0] as number);
      else {
        assert.ok(device.has(physAddr), "nothing is read before it was written");
        data[0] = device.get(physAddr) as number;
      }
    }
  }
  assert.deepEqual(
    sent,
    Array.from({ length: 40 }, (_, i) => 100 + i),
  );
});

test("ENTER of 32 bits on a 16-bit stack makes a frame pointer of all of ESP", async () => {
  // mov esp, 0x12340f00; enterd 0x10, 0; hlt
  const { vcpu } = await makeGuest([0x66, 0xbc, 0x00, 0x0f, 0x34, 0x12, 0x66, 0xc8, 0x10, 0x00, 0x00, 0xf4]);
  assert.equal(vcpu.run().reason, KVM_EXIT_HLT);
  const { rbp, rsp } = vcpu.getRegs();
  assert.deepEqual([rbp, rsp], [0x12340efcn, 0x12340eecn]);
});

test("the data of an exit is a copy, not shared memory", async () => {
  const { vcpu } = await makeGuest([0xe6, 0x10, 0xf4]); // out 0x10, al; hlt
  assert.ok(io(vcpu.run()).data.buffer instanceof ArrayBuffer);
});

test("HLT without an irqchip reaches user space, each time", async () => {
  const { vcpu } = await makeGuest([0xf4, 0xf4]);
  assert.equal(vcpu.run().reason, KVM_EXIT_HLT);
  assert.equal(vcpu.run().reason, KVM_EXIT_HLT);
  assert.equal(vcpu.getRegs().rip, BigInt(CODE + 2));
});

test("a triple fault is SHUTDOWN", async () => {
  const { vcpu } = await makeGuest([0x0f, 0x0b]); // ud2
  const sregs = vcpu.getSregs();
  sregs.idt = { base: 0n, limit: 0 };
  vcpu.setSregs(sregs);
  assert.equal(vcpu.run().reason, KVM_EXIT_SHUTDOWN);
});

test("maxNs ends an endless loop with INTR", async () => {
  const { vcpu } = await makeGuest([0xeb, 0xfe]); // jmp $
  const before = performance.now();
  const exit = vcpu.run({ maxNs: 20e6 });
  const took = performance.now() - before;
  assert.equal(exit.reason, KVM_EXIT_INTR);
  assert.equal(exit.halted, false);
  assert.ok(took < 2000, `${took} ms`);
  assert.equal(vcpu.getRegs().rip, BigInt(CODE));
});

test("kick() is sticky: the next run() returns INTR at once, the one after runs", async () => {
  const { vcpu } = await makeGuest([0xf4]);
  vcpu.kick();
  vcpu.kick();
  assert.equal(vcpu.run().reason, KVM_EXIT_INTR);
  assert.equal(vcpu.getRegs().rip, BigInt(CODE));
  assert.equal(vcpu.run().reason, KVM_EXIT_HLT);
});

test("immediateExit holds until it is cleared", async () => {
  const { vcpu } = await makeGuest([0xf4]);
  vcpu.kvmRun.immediateExit = true;
  assert.equal(vcpu.run().reason, KVM_EXIT_INTR);
  assert.equal(vcpu.run().reason, KVM_EXIT_INTR);
  vcpu.kvmRun.immediateExit = false;
  assert.equal(vcpu.run().reason, KVM_EXIT_HLT);
});

test("runAsync() lets the event loop run while the guest does", async () => {
  const { vcpu } = await makeGuest([0xeb, 0xfe]); // jmp $
  setTimeout(() => vcpu.kick(), 20);
  const exit = await vcpu.runAsync();
  assert.equal(exit.reason, KVM_EXIT_INTR);
});

test("runAsync() ends when its signal aborts", async () => {
  const { vcpu } = await makeGuest([0xeb, 0xfe]); // jmp $
  const exit = await vcpu.runAsync({ signal: AbortSignal.timeout(20) });
  assert.equal(exit.reason, KVM_EXIT_INTR);
});

test("runAsync() returns exits as run() does", async () => {
  const { vcpu } = await makeGuest([0xe4, 0x10, 0xf4]); // in al, 0x10; hlt
  const exit = io(await vcpu.runAsync());
  exit.data[0] = 9;
  assert.equal((await vcpu.runAsync()).reason, KVM_EXIT_HLT);
  assert.equal(vcpu.getRegs().rax, 9n);
});

test("a guest that runs off its memory leaves with an error, not an exception", async () => {
  const { vcpu } = await makeGuest([0xf4], { mode: "protected" });
  vcpu.setRegs({ ...vcpu.getRegs(), rip: RAM_SIZE + 0x1000 });
  const exit = vcpu.run({ maxNs: 1e9 });
  const names = [KVM_EXIT_INTERNAL_ERROR, KVM_EXIT_FAIL_ENTRY, KVM_EXIT_SHUTDOWN] as number[];
  assert.ok(names.includes(exit.reason), exitName(exit.reason));
});

test("exits and what the core did alone are counted", async () => {
  const { vm, vcpu } = await makeGuest([0xe6, 0x10, 0xe6, 0x10, 0xf4]); // out 0x10, al; out 0x10, al; hlt
  while (vcpu.run().reason === KVM_EXIT_IO) {}
  const { exits, counters } = vm.getStats();
  assert.equal(exits["IO"], 2);
  assert.equal(exits["HLT"], 1);
  assert.equal(exits["MMIO"], undefined);
  assert.ok(counters.instructions >= 3, `${counters.instructions} instructions`);
  assert.deepEqual(vcpu.getStats(), vm.getStats());
});

test("runAsync() gives the event loop turns although the guest leaves all the time", async () => {
  const { vcpu } = await makeGuest([0xe6, 0x10, 0xeb, 0xfc]); // again: out 0x10, al; jmp again
  let due = false;
  setTimeout(() => {
    due = true;
  }, 10);
  const before = performance.now();
  while (!due && performance.now() - before < 5000) await vcpu.runAsync();
  assert.ok(due);
});
