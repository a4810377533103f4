// The state right after creation, kept so that a reset can return to it: KVM has no reset call, its user
// writes every register back.
import {
  KVM_IRQCHIP_IOAPIC,
  KVM_IRQCHIP_PIC_MASTER,
  KVM_IRQCHIP_PIC_SLAVE,
  type KvmIrqchip,
  type KvmPitState2,
} from "../kvm/irqchip.ts";
import type { Vcpu } from "../kvm/vcpu.ts";
import type { Vm } from "../kvm/vm.ts";

const CHIPS = [KVM_IRQCHIP_PIC_MASTER, KVM_IRQCHIP_PIC_SLAVE, KVM_IRQCHIP_IOAPIC] as const;

/** State of one processor. */
interface VcpuPowerUp {
  readonly vcpu: Vcpu;
  readonly sregs: ReturnType<Vcpu["getSregs"]>;
  readonly regs: ReturnType<Vcpu["getRegs"]>;
  readonly xsave: ReturnType<Vcpu["getXsave"]>;
  readonly xcrs: ReturnType<Vcpu["getXcrs"]>;
  readonly msrs: ReturnType<Vcpu["getMsrs"]>;
  readonly lapic: ReturnType<Vcpu["getLapic"]>;
  readonly events: ReturnType<Vcpu["getVcpuEvents"]>;
  readonly debugregs: ReturnType<Vcpu["getDebugregs"]>;
  readonly mpState: ReturnType<Vcpu["getMpState"]>;
}

/** Registers of all processors and interrupt chips. */
export class PowerUpState {
  private readonly vm: Vm;
  private readonly vcpus: readonly VcpuPowerUp[];
  private readonly chips: readonly KvmIrqchip[];
  private readonly pit: KvmPitState2;

  /** Takes the present state. */
  constructor(vm: Vm, vcpus: readonly Vcpu[], msrIndices: readonly number[]) {
    this.vm = vm;
    this.vcpus = vcpus.map((vcpu) => ({
      vcpu,
      sregs: vcpu.getSregs(),
      regs: vcpu.getRegs(),
      xsave: vcpu.getXsave(),
      xcrs: vcpu.getXcrs(),
      msrs: vcpu.getMsrs(msrIndices),
      lapic: vcpu.getLapic(),
      events: vcpu.getVcpuEvents(),
      debugregs: vcpu.getDebugregs(),
      mpState: vcpu.getMpState(),
    }));
    this.chips = CHIPS.map((chip) => vm.getIrqchip(chip));
    this.pit = vm.getPit2();
  }

  /** Writes it back. The time stamp counters go on, as the clock does. */
  restore(): void {
    for (const state of this.vcpus) {
      const { vcpu } = state;
      vcpu.setSregs(structuredClone(state.sregs));
      vcpu.setRegs(state.regs);
      vcpu.setXcrs(state.xcrs);
      vcpu.setXsave(state.xsave);
      for (const msr of state.msrs) {
        // One at a time: setMsrs stops at the first that takes no writes.
        vcpu.setMsrs([msr]);
      }
      vcpu.setLapic(state.lapic);
      vcpu.setDebugregs(state.debugregs);
      vcpu.setVcpuEvents(state.events);
      vcpu.setMpState(state.mpState);
    }
    for (const chip of this.chips) {
      this.vm.setIrqchip(structuredClone(chip));
    }
    this.vm.setPit2(structuredClone(this.pit));
  }
}
