// Hosts that let the core run and make no regions: the guest is interpreted, and whoever asks is told why.
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { createContext, runInContext } from "node:vm";
import { KVM_EXIT_HLT } from "../../assembly/exits.ts";
import {
  describeObstacle,
  Kvm,
  KvmError,
  type KvmOptions,
  type TranslationObstacle,
  type Vcpu,
  Vm,
} from "../../host/kvm/index.ts";
import { enter } from "../kvm/guest.ts";
import { Assembler } from "./assembler.ts";
import { CODE, RBX, RCX } from "./tier-guest.ts";

const { Module, validate } = WebAssembly;
afterEach(() => {
  Object.assign(WebAssembly, { Module, validate });
});

/** Replaces the constructor that regions are made by; the core is compiled by another function. */
function makeModulesBy(construct: (bytes: BufferSource) => WebAssembly.Module): void {
  WebAssembly.Module = new Proxy(Module, { construct: (_, [bytes]) => construct(bytes) });
}

/** The constructor of a realm whose embedder lets nobody compile, as a page's content security policy does. */
const forbidding = (): typeof Module =>
  runInContext("WebAssembly.Module", createContext({}, { codeGeneration: { wasm: false } }));

/** What hosts do, and the obstacle that this is. */
const HOSTS: readonly [TranslationObstacle, make: () => void][] = [
  [
    "forbidden",
    () => {
      const Forbidden = forbidding();
      makeModulesBy((bytes) => new Forbidden(bytes));
    },
  ],
  [
    "no-tail-calls",
    () => {
      WebAssembly.validate = () => false;
      makeModulesBy(() => {
        throw new WebAssembly.CompileError("Invalid opcode 0x12");
      });
    },
  ],
  [
    "refused",
    () =>
      makeModulesBy(() => {
        throw new RangeError("WebAssembly.Compile is disallowed on the main thread, if the buffer is this large");
      }),
  ],
];

const I64_ADD = 0x7c;
const I64_SUB = 0x7d;

const hasCode = (code: string) => (error: unknown) => error instanceof KvmError && error.code === code;

interface Loop {
  readonly vm: Vm;
  readonly vcpu: Vcpu;
  readonly ram: Uint8Array;
  /** Sums up 50 numbers again. */
  readonly run: () => void;
}

/** A guest whose code would be translated before it is executed. */
async function loop(options: KvmOptions = {}): Promise<Loop & { readonly kvm: Kvm }> {
  const kvm = await Kvm.open({ accel: "jit", threshold: 1, ...options });
  const vm = kvm.createVm({ memorySize: 1 << 20 });
  const userspaceAddr = vm.allocate(1 << 20);
  vm.setUserMemoryRegion({ slot: 0, guestPhysAddr: 0, memorySize: 1 << 20, userspaceAddr });
  const program = new Assembler(CODE).set(RBX, 0).set(RCX, 50).label("again").code(0x48, 0x01, 0xcb); // add rbx, rcx
  const ram = new Uint8Array(vm.memory, userspaceAddr, 1 << 20);
  ram.set(program.repeat(RCX, "again").halt().finish(), CODE);
  const vcpu = vm.createVcpu(0);
  const run = (): void => {
    enter(vcpu, ram, "long", CODE);
    assert.equal(vcpu.run().reason, KVM_EXIT_HLT);
    assert.equal(vcpu.getRegs().rbx, 1275n);
  };
  return { kvm, vm, vcpu, ram, run };
}

for (const [obstacle, make] of HOSTS) {
  test(`${obstacle}: known when the handle is opened, and VMs interpret`, async () => {
    make();
    const { kvm, vm, run } = await loop();
    let told = 0;
    vm.onObstacle = () => {
      told += 1;
    };
    for (let times = 0; times < 3; times++) run();
    assert.equal(kvm.translationObstacle, obstacle);
    assert.equal(vm.translationObstacle, obstacle);
    assert.match(describeObstacle(obstacle), /WebAssembly/);
    const { instructions, regionModules, regionInstructions } = vm.getStats().counters;
    assert.ok(instructions > 300);
    assert.deepEqual([regionModules, regionInstructions, told], [0, 0, 0]);
    await assert.rejects(loop({ verify: true }), hasCode("ENODEV"));
  });

  test(`${obstacle}: met by a VM that has something to translate, which goes on interpreting`, async () => {
    const { kvm, vm, run } = await loop();
    const told: TranslationObstacle[] = [];
    vm.onObstacle = (met) => told.push(met);
    make();
    for (let times = 0; times < 3; times++) run();
    assert.deepEqual(told, [obstacle]);
    assert.deepEqual([kvm.translationObstacle, vm.translationObstacle], [undefined, obstacle]);
    assert.equal(Vm.attach(vm.handle).translationObstacle, obstacle, "in another thread");
    assert.equal(vm.getStats().counters.regionInstructions, 0);
  });
}

test("no obstacle where code is translated, and where nobody asks for that", async () => {
  const { kvm, vm, run } = await loop();
  run();
  assert.deepEqual([kvm.translationObstacle, vm.translationObstacle], [undefined, undefined]);
  assert.ok(vm.getStats().counters.regionInstructions > 0);
  WebAssembly.validate = () => false;
  const interpreted = await loop({ accel: "interp" });
  assert.deepEqual([interpreted.kvm.translationObstacle, interpreted.vm.translationObstacle], [undefined, undefined]);
});

test("a core that the host does not let be compiled is EPERM, and says what to do", async () => {
  const { compile } = WebAssembly;
  const Forbidden = forbidding();
  WebAssembly.compile = async (bytes: BufferSource) => new Forbidden(bytes);
  try {
    const core = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
    await assert.rejects(Kvm.open({ core }), (error: unknown) => {
      assert.ok(error instanceof KvmError);
      assert.equal(error.code, "EPERM");
      assert.match(error.message, /wasm-unsafe-eval.*accelerator 'ts'/);
      return true;
    });
    await assert.rejects(Kvm.open({ core: Uint8Array.of(1, 2, 3) }), hasCode("ENODEV"));
  } finally {
    WebAssembly.compile = compile;
  }
});

test("verify is for one vCPU, number 0, and for jit: everything else is EINVAL", async () => {
  const { vm } = await loop({ verify: true });
  assert.throws(() => vm.createVcpu(1), hasCode("EINVAL"));
  assert.throws(() => Vm.attach(vm.handle).createVcpu(1), hasCode("EINVAL"), "in another thread");
  for (const accel of ["interp", "ts", "lockstep"] as const) {
    await assert.rejects(Kvm.open({ accel, verify: true }), hasCode("EINVAL"), accel);
  }
});

/** Moves the loop's vCPU to where another thread would have it. */
function move({ vm, vcpu, ram }: Loop): { there: Vm; run: () => Vcpu } {
  vcpu.close();
  const there = Vm.attach(vm.handle);
  const moved = there.adoptVcpu(0);
  const run = (): Vcpu => {
    enter(moved, ram, "long", CODE);
    assert.equal(moved.run().reason, KVM_EXIT_HLT);
    return moved;
  };
  return { there, run };
}

test("a vCPU that moves to another thread is translated anew there", async () => {
  const guest = await loop();
  guest.run();
  const before = guest.vm.getStats().counters;
  const { there, run } = move(guest);
  assert.equal(run().getRegs().rbx, 1275n);
  const after = there.getStats().counters;
  assert.ok(after.regionModules > before.regionModules);
  const instructions = after.instructions - before.instructions;
  assert.ok(after.regionInstructions - before.regionInstructions > instructions * 0.9);
});

test("a vCPU that moves to another thread is verified there", async () => {
  const guest = await loop({ verify: true });
  guest.run();
  const before = guest.vm.getStats().counters;
  const { there, run } = move(guest);
  // A sum in the loop becomes a difference.
  there.onModule = (module) => {
    const add = module.findLastIndex((byte, at) => {
      if (byte !== I64_ADD) return false;
      module[at] = I64_SUB;
      if (validate(module.slice())) return true;
      module[at] = I64_ADD;
      return false;
    });
    assert.ok(add > 0);
  };
  assert.ok(before.regionsVerified > 0);
  assert.throws(run, /a region and the interpreter differ/);
});
