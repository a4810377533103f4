// A VM with one vCPU and one slot of memory at guest physical 0, with nothing between a test and
// the core: state is read and written where it lies, and a trap of the core is the test's to see.
import { VM_JIT_THRESHOLD } from "../../assembly/layout.ts";
import {
  type CoreExports,
  type CoreProgram,
  compileCore,
  instantiate,
  loadTypeScriptCore,
} from "../../host/kvm/core.ts";
import { type KvmCpuidEntry, writeCpuid } from "../../host/kvm/cpuid-table.ts";
import { VmMemory } from "../../host/kvm/memory.ts";
import { clockSince, sharedClockNs, wallNs } from "../../host/kvm/platform.ts";
import { VcpuState } from "../../host/kvm/vcpu-state.ts";

export interface BareVm {
  memory: VmMemory;
  core: CoreExports;
  state: VcpuState;
  /** Offset of guest physical 0 in linear memory. */
  ram: number;
}

/** Makes a VM with `size` bytes of memory. `core`: another than the built ones; without it WKVM_TEST_ACCEL says
 * which of the built cores. `threshold`: how often code is entered before it is translated, 0: it never is. `onModule` is
 * given each module of translated code before it is compiled, and may change it. */
export async function createBareVm(
  size: number,
  cpuid: readonly KvmCpuidEntry[],
  core?: CoreProgram,
  threshold = 0,
  onModule?: (module: Uint8Array) => void,
): Promise<BareVm> {
  const epoch = sharedClockNs();
  const typescript = process.env["WKVM_TEST_ACCEL"] === "ts";
  const program = core ?? (typescript ? await loadTypeScriptCore() : await compileCore());
  const memory = VmMemory.create(size, 1, epoch, wallNs(), program);
  const exports = instantiate(program, memory.memory, {
    nowNs: clockSince(epoch),
    doorbell: () => {},
    trace: () => {},
    ...(onModule ? { onModule } : {}),
  });
  memory.view.setUint32(VM_JIT_THRESHOLD, threshold, true);
  exports.vcpuSelect(0);
  exports.vcpuReset();
  const ram = memory.allocate(size);
  const result = exports.setSlot(0, 0, 0n, BigInt(size), ram);
  if (result < 0) throw new Error(`setSlot: ${result}`);
  const state = new VcpuState(memory, exports, 0);
  writeCpuid(state, cpuid);
  return { memory, core: exports, state, ram };
}
