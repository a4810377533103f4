// GSI routing: from interrupt lines to chip pins and messages, as KVM_SET_GSI_ROUTING has it.
import { doorbell } from "../host";
import { ioapicSetLine } from "./ioapic";
import {
  CHIP_IOAPIC, CHIP_PIC_MASTER, CHIP_PIC_SLAVE, IOAPIC_PINS, MAX_GSIS, MAX_ROUTES, RESAMPLE_DOORBELL, ROUTE_ADDRESS_HI,
  ROUTE_ADDRESS_LO, ROUTE_CHIP, ROUTE_COUNT, ROUTE_DATA, ROUTE_FIRST, ROUTE_GSI, ROUTE_NEXT, ROUTE_PIN,
  ROUTE_RESAMPLE, ROUTE_SIZE, ROUTE_TYPE, ROUTES, ROUTING_IRQCHIP, ROUTING_MSI, SOURCE_RESAMPLE,
} from "./layout";
import { sendMsi } from "./msi";
import { picSetLine } from "./pic";
import { pitAcknowledged } from "./pit-timer";

const PIT_GSI: u32 = 0;
const GSIS: u32 = MAX_GSIS;

// @ts-ignore: decorator
@inline function routeAt(index: u32): usize { return <usize>index * ROUTE_SIZE + ROUTES; }

/** Drives GSI `gsi` on behalf of a source (SOURCE_*), with the chips locked. Returns how many
 * receivers took a new interrupt, 0 if it merged with a pending one, -1 if nothing could take it. */
export function setGsi(source: u32, gsi: u32, level: i32): i32 {
  if (gsi >= GSIS) return -1;
  let result = -1;
  let next = <u32>load<u16>(<usize>gsi << 1, ROUTE_FIRST);
  while (next) {
    const index = next - 1;
    next = <u32>load<u16>(<usize>index << 1, ROUTE_NEXT);
    const one = setRoute(routeAt(index), source, level);
    if (one >= 0) result = max(result, 0) + one;
  }
  return result;
}

function setRoute(route: usize, source: u32, level: i32): i32 {
  if (load<u32>(route, ROUTE_TYPE) == ROUTING_MSI) {
    // A message is sent at the rising edge; there is nothing to take back.
    if (!level) return -1;
    const address = <u64>load<u32>(route, ROUTE_ADDRESS_LO) | (<u64>load<u32>(route, ROUTE_ADDRESS_HI) << 32);
    return sendMsi(address, load<u32>(route, ROUTE_DATA));
  }
  const pin = load<u32>(route, ROUTE_PIN);
  switch (load<u32>(route, ROUTE_CHIP)) {
    case CHIP_PIC_MASTER: return picSetLine(pin & 7, source, level);
    case CHIP_PIC_SLAVE: return picSetLine((pin & 7) + 8, source, level);
    default: return ioapicSetLine(pin, source, level);
  }
}

/** Whether GSI `gsi` drives a chip's pin. */
export function routesTo(gsi: u32, chip: u32, pin: u32): bool {
  let next = <u32>load<u16>(<usize>gsi << 1, ROUTE_FIRST);
  while (next) {
    const index = next - 1;
    next = <u32>load<u16>(<usize>index << 1, ROUTE_NEXT);
    const route = routeAt(index);
    if (
      load<u32>(route, ROUTE_TYPE) == ROUTING_IRQCHIP &&
      load<u32>(route, ROUTE_CHIP) == chip &&
      load<u32>(route, ROUTE_PIN) == pin
    ) return true;
  }
  return false;
}

/** The guest acknowledged a chip's pin: the PIT may raise its next tick, and the host hears of
 * a resampled line, which falls (level-triggered irqfd). */
export function ackPin(chip: u32, pin: u32): void {
  if (routesTo(PIT_GSI, chip, pin)) pitAcknowledged();
  for (let word: u32 = 0; word < GSIS / 32; word++) {
    let bits = load<u32>(<usize>word << 2, ROUTE_RESAMPLE);
    for (; bits; bits &= bits - 1) {
      const gsi = (word << 5) + ctz(bits);
      if (!routesTo(gsi, chip, pin)) continue;
      setGsi(SOURCE_RESAMPLE, gsi, 0);
      doorbell(RESAMPLE_DOORBELL + gsi);
    }
  }
}

/** Builds the per-GSI chains from the first ROUTE_COUNT entries of ROUTES, with the chips locked.
 * Returns 0, or -22 (EINVAL), with no routes at all, where an entry cannot be. */
export function indexRoutes(): i32 {
  memory.fill(ROUTE_FIRST, 0, 2 * MAX_GSIS);
  const count = load<u32>(ROUTE_COUNT);
  if (count > <u32>MAX_ROUTES) return -22;
  for (let i: u32 = 0; i < count; i++) {
    if (!validRoute(routeAt(i))) return -22;
  }
  for (let i: u32 = 0; i < count; i++) {
    const first = <usize>load<u32>(routeAt(i), ROUTE_GSI) << 1;
    store<u16>(<usize>i << 1, load<u16>(first, ROUTE_FIRST), ROUTE_NEXT);
    store<u16>(first, <u16>(i + 1), ROUTE_FIRST);
  }
  return 0;
}

function validRoute(route: usize): bool {
  if (load<u32>(route, ROUTE_GSI) >= GSIS) return false;
  const type = load<u32>(route, ROUTE_TYPE);
  if (type == ROUTING_MSI) return true;
  if (type != ROUTING_IRQCHIP) return false;
  const chip = load<u32>(route, ROUTE_CHIP);
  const pin = load<u32>(route, ROUTE_PIN);
  return chip == CHIP_IOAPIC ? pin < <u32>IOAPIC_PINS : chip <= <u32>CHIP_PIC_SLAVE && pin < 8;
}

/** The routing of a new irqchip: GSI n to IOAPIC pin n, the first 16 also to the 8259 pair, and
 * GSI 0 also to IOAPIC pin 2, where a PC's MADT says that the timer's interrupt arrives. */
export function defaultRoutes(): void {
  store<u32>(ROUTE_COUNT, 0);
  for (let gsi: u32 = 0; gsi < <u32>IOAPIC_PINS; gsi++) addRoute(gsi, CHIP_IOAPIC, gsi);
  for (let gsi: u32 = 0; gsi < 16; gsi++) addRoute(gsi, gsi >> 3, gsi & 7);
  addRoute(PIT_GSI, CHIP_IOAPIC, 2);
  indexRoutes();
}

function addRoute(gsi: u32, chip: u32, pin: u32): void {
  const count = load<u32>(ROUTE_COUNT);
  const route = routeAt(count);
  store<u32>(route, gsi, ROUTE_GSI);
  store<u32>(route, ROUTING_IRQCHIP, ROUTE_TYPE);
  store<u32>(route, chip, ROUTE_CHIP);
  store<u32>(route, pin, ROUTE_PIN);
  store<u32>(route, 0, ROUTE_DATA);
  store<u32>(ROUTE_COUNT, count + 1);
}
