// KVM_GET_IRQCHIP, KVM_SET_IRQCHIP, KVM_GET_PIT2, KVM_SET_PIT2: the chips' state as structs. It lies in linear
// memory byte for byte as the uapi declares it (assembly/irqchip/layout.ts).

import {
  IOAPIC_PINS,
  IOAPIC_STATE,
  PIC_MASTER,
  PIC_SLAVE,
  PIT_CHANNEL_SIZE,
  PIT_FLAGS,
  PIT_STATE,
} from "../../assembly/irqchip/layout.ts";
import { KvmError, toU64 } from "./errors.ts";
import type { VmMemory } from "./memory.ts";

export const KVM_IRQCHIP_PIC_MASTER = 0;
export const KVM_IRQCHIP_PIC_SLAVE = 1;
export const KVM_IRQCHIP_IOAPIC = 2;

/** The fields of struct kvm_pic_state, all u8, in the order of the struct. */
const PIC_FIELDS = [
  "lastIrr",
  "irr",
  "imr",
  "isr",
  "priorityAdd",
  "irqBase",
  "readRegSelect",
  "poll",
  "specialMask",
  "initState",
  "autoEoi",
  "rotateOnAutoEoi",
  "specialFullyNestedMode",
  "init4",
  "elcr",
  "elcrMask",
] as const;

/** struct kvm_pic_state: one 8259. Every field is a u8. */
export type KvmPicState = Record<(typeof PIC_FIELDS)[number], number>;

/** struct kvm_ioapic_state. */
export interface KvmIoapicState {
  baseAddress: bigint;
  ioregsel: number;
  id: number;
  irr: number;
  /** 24 redirection table entries, 64 bits each. */
  redirtbl: bigint[];
}

/** struct kvm_irqchip. */
export type KvmIrqchip =
  | { chipId: typeof KVM_IRQCHIP_PIC_MASTER | typeof KVM_IRQCHIP_PIC_SLAVE; pic: KvmPicState }
  | { chipId: typeof KVM_IRQCHIP_IOAPIC; ioapic: KvmIoapicState };

/** Reads one chip. Throws EINVAL for an unknown number. */
export function readIrqchip(memory: VmMemory, chipId: number): KvmIrqchip {
  if (chipId === KVM_IRQCHIP_IOAPIC) {
    return {
      chipId,
      ioapic: {
        baseAddress: memory.u64(IOAPIC_STATE),
        ioregsel: memory.u32(IOAPIC_STATE + 8),
        id: memory.u32(IOAPIC_STATE + 12),
        irr: memory.u32(IOAPIC_STATE + 16),
        redirtbl: Array.from({ length: IOAPIC_PINS }, (_, pin) => memory.u64(IOAPIC_STATE + 24 + 8 * pin)),
      },
    };
  }
  if (chipId !== KVM_IRQCHIP_PIC_MASTER && chipId !== KVM_IRQCHIP_PIC_SLAVE) {
    throw new KvmError("EINVAL", `there is no irqchip ${chipId}`);
  }
  const at = picAt(chipId);
  const pic = {} as KvmPicState;
  PIC_FIELDS.forEach((field, i) => {
    pic[field] = memory.u8(at + i);
  });
  return { chipId, pic };
}

/** Writes one chip; the core has to be told afterwards. Throws EINVAL for an unknown number or a wrong table. */
export function writeIrqchip(memory: VmMemory, chip: KvmIrqchip): void {
  if (chip.chipId === KVM_IRQCHIP_IOAPIC) {
    const { baseAddress, ioregsel, id, irr, redirtbl } = chip.ioapic;
    if (redirtbl.length !== IOAPIC_PINS) throw new KvmError("EINVAL", `an IOAPIC has ${IOAPIC_PINS} pins`);
    const entries = redirtbl.map((entry) => toU64(entry, "a redirection entry"));
    memory.setU64(IOAPIC_STATE, toU64(baseAddress, "baseAddress"));
    memory.setU32(IOAPIC_STATE + 8, ioregsel);
    memory.setU32(IOAPIC_STATE + 12, id);
    memory.setU32(IOAPIC_STATE + 16, irr);
    entries.forEach((entry, pin) => {
      memory.setU64(IOAPIC_STATE + 24 + 8 * pin, entry);
    });
    return;
  }
  if (chip.chipId !== KVM_IRQCHIP_PIC_MASTER && chip.chipId !== KVM_IRQCHIP_PIC_SLAVE) {
    throw new KvmError("EINVAL", `there is no irqchip ${String((chip as { chipId: number }).chipId)}`);
  }
  const at = picAt(chip.chipId);
  PIC_FIELDS.forEach((field, i) => {
    memory.view.setUint8(at + i, chip.pic[field]);
  });
}

function picAt(chipId: number): number {
  return chipId === KVM_IRQCHIP_PIC_MASTER ? PIC_MASTER : PIC_SLAVE;
}

export const KVM_PIT_SPEAKER_DUMMY = 1;
export const KVM_PIT_FLAGS_HPET_LEGACY = 1;
export const KVM_PIT_FLAGS_SPEAKER_DATA_ON = 2;

/** The u8 fields of struct kvm_pit_channel_state, from offset 6 on. */
const PIT_BYTES = [
  "countLatched",
  "statusLatched",
  "status",
  "readState",
  "writeState",
  "writeLatch",
  "rwMode",
  "mode",
  "bcd",
  "gate",
] as const;

/** struct kvm_pit_channel_state. */
export type KvmPitChannelState = Record<(typeof PIT_BYTES)[number], number> & {
  /** 0..65536. */
  count: number;
  latchedCount: number;
  /** Guest time, ns. */
  countLoadTime: bigint;
};

/** struct kvm_pit_state2. */
export interface KvmPitState2 {
  channels: [KvmPitChannelState, KvmPitChannelState, KvmPitChannelState];
  /** KVM_PIT_FLAGS_*. */
  flags: number;
}

/** Reads struct kvm_pit_state2. */
export function readPit(memory: VmMemory): KvmPitState2 {
  return {
    channels: [readChannel(memory, 0), readChannel(memory, 1), readChannel(memory, 2)],
    flags: memory.u32(PIT_FLAGS),
  };
}

/** Writes struct kvm_pit_state2; the core has to be told afterwards. Throws EINVAL for counts over 65536. */
export function writePit(memory: VmMemory, pit: KvmPitState2): void {
  for (const { count } of pit.channels) {
    if (!Number.isInteger(count) || count < 0 || count > 0x10000) throw new KvmError("EINVAL", `no count: ${count}`);
  }
  pit.channels.forEach((channel, n) => {
    writeChannel(memory, n, channel);
  });
  memory.setU32(PIT_FLAGS, pit.flags);
}

function readChannel(memory: VmMemory, n: number): KvmPitChannelState {
  const at = PIT_STATE + PIT_CHANNEL_SIZE * n;
  const channel = {
    count: memory.u32(at),
    latchedCount: memory.view.getUint16(at + 4, true),
    countLoadTime: memory.view.getBigInt64(at + 16, true),
  } as KvmPitChannelState;
  PIT_BYTES.forEach((field, i) => {
    channel[field] = memory.u8(at + 6 + i);
  });
  return channel;
}

function writeChannel(memory: VmMemory, n: number, channel: KvmPitChannelState): void {
  const at = PIT_STATE + PIT_CHANNEL_SIZE * n;
  memory.setU32(at, channel.count);
  memory.view.setUint16(at + 4, channel.latchedCount, true);
  memory.view.setBigInt64(at + 16, BigInt.asIntN(64, channel.countLoadTime), true);
  PIT_BYTES.forEach((field, i) => {
    memory.view.setUint8(at + 6 + i, channel[field]);
  });
}
