// Where the interrupt chips keep their state: VM-wide chips from VM_IRQCHIP on, what a local APIC
// knows beyond its register page from CPU_LAPIC_EXTRA on.
//
// Read by asc and by tsc. The parts that the KVM API exchanges (kvm_pic_state, kvm_ioapic_state,
// kvm_pit_state2) lie here byte for byte as the Linux uapi declares them, so the host copies them.
import { CPU_LAPIC_EXTRA, VM_IRQCHIP } from "../layout.ts";

// ---------------------------------------------------------------- VM_CHIPS bits
export const CHIPS_IRQCHIP = 1;
export const CHIPS_PIT = 2;
export const CHIPS_SPLIT = 4;
/** A local APIC exists in the core. */
export const CHIPS_LAPIC = CHIPS_IRQCHIP | CHIPS_SPLIT;
/** The PIT also answers port 0x61 (KVM_PIT_SPEAKER_DUMMY). */
export const CHIPS_SPEAKER = 8;

// ---------------------------------------------------------------- 8259 pair
/** Two struct kvm_pic_state, all bytes: master, then slave. */
export const PIC_MASTER = VM_IRQCHIP;
export const PIC_STATE_SIZE = 16;
export const PIC_SLAVE = PIC_MASTER + PIC_STATE_SIZE;
export const PIC_LAST_IRR = 0;
export const PIC_IRR = 1;
export const PIC_IMR = 2;
export const PIC_ISR = 3;
export const PIC_PRIORITY_ADD = 4;
export const PIC_IRQ_BASE = 5;
export const PIC_READ_SELECT = 6;
export const PIC_POLL = 7;
export const PIC_SPECIAL_MASK = 8;
export const PIC_INIT_STATE = 9;
export const PIC_AUTO_EOI = 10;
export const PIC_ROTATE_ON_AUTO_EOI = 11;
export const PIC_SPECIAL_FULLY_NESTED = 12;
export const PIC_INIT4 = 13;
export const PIC_ELCR = 14;
export const PIC_ELCR_MASK = 15;
/** u8[2]: ICW1 said that this chip has no cascade, so ICW3 is left out. */
export const PIC_SINGLE = PIC_SLAVE + PIC_STATE_SIZE;
/** u32: the master's INT output. */
export const PIC_OUTPUT = PIC_SINGLE + 4;
/** u32[16]: a bit for each source (SOURCE_*) that holds the pin high. */
export const PIC_LINES = PIC_OUTPUT + 4;
export const PIC_PINS = 16;

// ---------------------------------------------------------------- IOAPIC
/** struct kvm_ioapic_state. */
export const IOAPIC_STATE = VM_IRQCHIP + 0x100;
/** u64. */
export const IOAPIC_BASE = IOAPIC_STATE;
/** u32 each. */
export const IOAPIC_SELECT = IOAPIC_STATE + 8;
export const IOAPIC_ID = IOAPIC_STATE + 12;
export const IOAPIC_IRR = IOAPIC_STATE + 16;
/** u64[24]. */
export const IOAPIC_TABLE = IOAPIC_STATE + 24;
export const IOAPIC_PINS = 24;
export const IOAPIC_STATE_SIZE = 24 + 8 * IOAPIC_PINS;
/** u32[24]: sources, as in PIC_LINES. */
export const IOAPIC_LINES = IOAPIC_STATE + IOAPIC_STATE_SIZE;
/** u32[8]: vectors that some table entry names: only their EOI concerns the IOAPIC. */
export const IOAPIC_VECTORS = IOAPIC_LINES + 4 * IOAPIC_PINS;
export const IOAPIC_DEFAULT_BASE = 0xfec00000;

// ---------------------------------------------------------------- PIT
/** struct kvm_pit_state2: three kvm_pit_channel_state of 24 bytes, u32 flags, u32 reserved[9]. */
export const PIT_STATE = VM_IRQCHIP + 0x400;
export const PIT_CHANNEL_SIZE = 24;
/** u32: 1..65536 (0: never loaded). */
export const PIT_COUNT = 0;
/** u16. */
export const PIT_LATCHED_COUNT = 4;
/** u8 each, up to PIT_GATE. */
export const PIT_COUNT_LATCHED = 6;
export const PIT_STATUS_LATCHED = 7;
export const PIT_STATUS = 8;
export const PIT_READ_STATE = 9;
export const PIT_WRITE_STATE = 10;
export const PIT_WRITE_LATCH = 11;
export const PIT_RW_MODE = 12;
export const PIT_MODE = 13;
export const PIT_BCD = 14;
export const PIT_GATE = 15;
/** i64: guest ns at which counting began. */
export const PIT_LOAD_TIME = 16;
export const PIT_FLAGS = PIT_STATE + 3 * PIT_CHANNEL_SIZE;
export const PIT_STATE2_SIZE = 3 * PIT_CHANNEL_SIZE + 40;
/** KVM_PIT_FLAGS_*. */
export const PIT_FLAG_HPET_LEGACY = 1;
export const PIT_FLAG_SPEAKER_DATA_ON = 2;

/** Per channel, behind the uapi state: i64 ns counted when the gate closed (-1: running),
 * u32 1 while a count is being counted (modes 1 and 5 wait for the gate), u32 null count. */
export const PIT_EXTRA = VM_IRQCHIP + 0x480;
export const PIT_EXTRA_SIZE = 16;
export const PIT_FROZEN = 0;
export const PIT_ARMED = 8;
export const PIT_NULL_COUNT = 12;
/** u64: rising edges of channel 0's output since its count was loaded. */
export const PIT_EDGES = PIT_EXTRA + 3 * PIT_EXTRA_SIZE;
/** u32: ticks that the guest has not acknowledged yet, counting the one in flight. */
export const PIT_PENDING = PIT_EDGES + 8;
/** u32: 1: the last tick was acknowledged: the next may be raised. */
export const PIT_ACKED = PIT_PENDING + 4;
/** u32: 1: missed ticks are raised again (KVM_REINJECT_CONTROL). */
export const PIT_REINJECT = PIT_ACKED + 4;
/** f64: guest ns of the last tick raised, and at which the next missed one is due (0: none). */
export const PIT_LAST_TICK = (PIT_REINJECT + 4 + 7) & ~7;
export const PIT_REINJECT_AT = PIT_LAST_TICK + 8;
/** f64: guest ns of channel 0's next rising edge (0: none). */
export const PIT_NEXT_EDGE = PIT_REINJECT_AT + 8;

// ---------------------------------------------------------------- clocks
/** u64: the VM's TSC (without vCPU offsets) last handed out. */
export const CLOCK_TSC_LAST = VM_IRQCHIP + 0x600;
/** u64, u64: kvmclock shows CLOCK_KVM_NS when the VM's TSC shows CLOCK_KVM_TSC. */
export const CLOCK_KVM_TSC = CLOCK_TSC_LAST + 8;
export const CLOCK_KVM_NS = CLOCK_KVM_TSC + 8;
/** u32: changes whenever the guests' pvclock pages are out of date. */
export const CLOCK_GENERATION = CLOCK_KVM_NS + 8;
/** u64: the TSC offset that the host's writes of the counters agree on. */
export const CLOCK_TSC_SYNC = CLOCK_GENERATION + 8;

// ---------------------------------------------------------------- GSI routing
/** u32: entries in use. */
export const ROUTE_COUNT = VM_IRQCHIP + 0x700;
/** u32[32]: a bit for each GSI whose EOI the host wants to hear of (irqfd with a resample fd). */
export const ROUTE_RESAMPLE = ROUTE_COUNT + 16;
/** u16[MAX_GSIS]: 1 + the first entry of the GSI; built by routesChanged(). */
export const ROUTE_FIRST = VM_IRQCHIP + 0x1000;
export const MAX_GSIS = 1024;
/** u16[MAX_ROUTES]: 1 + the next entry of the same GSI. */
export const ROUTE_NEXT = ROUTE_FIRST + 2 * MAX_GSIS;
export const MAX_ROUTES = 1536;
/** MAX_ROUTES entries of 24 bytes, u32 each. */
export const ROUTES = ROUTE_NEXT + 2 * MAX_ROUTES;
export const ROUTE_SIZE = 24;
export const ROUTE_GSI = 0;
/** KVM_IRQ_ROUTING_IRQCHIP 1, KVM_IRQ_ROUTING_MSI 2. */
export const ROUTE_TYPE = 4;
/** IRQCHIP: KVM_IRQCHIP_PIC_MASTER 0, PIC_SLAVE 1, IOAPIC 2. MSI: address, low half. */
export const ROUTE_CHIP = 8;
export const ROUTE_ADDRESS_LO = 8;
/** IRQCHIP: pin. MSI: address, high half. */
export const ROUTE_PIN = 12;
export const ROUTE_ADDRESS_HI = 12;
/** MSI: data. */
export const ROUTE_DATA = 16;
export const ROUTING_IRQCHIP = 1;
export const ROUTING_MSI = 2;
export const CHIP_PIC_MASTER = 0;
export const CHIP_PIC_SLAVE = 1;
export const CHIP_IOAPIC = 2;

/** Who holds a line: user space, a resampling irqfd, the in-core PIT. Bit numbers. */
export const SOURCE_USER = 0;
export const SOURCE_RESAMPLE = 1;
export const SOURCE_PIT = 2;
/** host.doorbell(RESAMPLE_DOORBELL + gsi): the guest acknowledged a resampled GSI. */
export const RESAMPLE_DOORBELL = 0x10000;

// ---------------------------------------------------------------- local APIC, offsets from a vCPU
/** u32: EVENT_* bits, the start-up vector in bits 8-15. Changed atomically. */
export const LAPIC_EVENTS = CPU_LAPIC_EXTRA;
export const EVENT_NMI = 1;
export const EVENT_INIT = 2;
export const EVENT_SIPI = 4;
/** KVM_HC_KICK_CPU: leave HLT although no interrupt is pending. */
export const EVENT_UNHALT = 8;
/** A second NMI has come before the first was taken: one may be in service and one wait (SDM volume 3, 6.7.1). */
export const EVENT_NMI_AGAIN = 16;
export const EVENT_SIPI_VECTOR_SHIFT = 8;
/** u32: errors since the guest last wrote the ESR. Changed atomically. */
export const LAPIC_ERRORS = LAPIC_EVENTS + 4;
/** u32: 1: an ExtINT message arrived: the next interrupt may come from the 8259 pair. */
export const LAPIC_EXTINT = LAPIC_ERRORS + 4;
/** u32: 1: the guest may acknowledge the interrupt in service through its PV EOI word. */
export const LAPIC_PV_EOI_OFFERED = LAPIC_EXTINT + 4;
/** f64: guest ns at which the APIC timer expires (0: not armed). */
export const LAPIC_DEADLINE = LAPIC_PV_EOI_OFFERED + 4;
/** u32: 1 + vector of a level interrupt whose EOI a user-space IOAPIC waits for (split irqchip). */
export const LAPIC_EOI_EXIT = LAPIC_DEADLINE + 8;
/** u32: CLOCK_GENERATION of the pvclock page as last written. */
export const LAPIC_CLOCK_SEEN = LAPIC_EOI_EXIT + 4;
/** u32: 1: tell the guest in its pvclock page that it was stopped (KVM_KVMCLOCK_CTRL). */
export const LAPIC_CLOCK_STOPPED = LAPIC_CLOCK_SEEN + 4;
/** u64: IA32_APIC_BASE as it last took effect: the host writes CPU_APIC_BASE in place. */
export const LAPIC_BASE_IN_FORCE = (LAPIC_CLOCK_STOPPED + 4 + 7) & ~7;
