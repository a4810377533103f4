// Telling every vCPU to drop what it remembers, and knowing that it did.
//
// A vCPU takes requests between instructions. Where one executes on another thread, the asker waits
// until it has taken the request, as a kernel waits for the acknowledgement of its IPI: after that
// no instruction runs on the old translations.
import { cpu } from "../cpu";
import { CPU_FUEL, CPU_INDEX, REQ_TLB_FLUSH, VCPU_BASE, VCPU_SIZE, VM_VCPU_COUNT } from "../layout";
import { tlbFlushAll } from "./contexts";
import { MMU_IN_GUEST } from "./state";

/** Requests are the high half of the fuel word. */
const REQUESTS = CPU_FUEL + 4;

/** True between enterGuest() and leaveGuest() of this instance. */
let inGuest: bool = false;

/** run() is about to execute guest instructions; it must look at the requests after this. */
export function enterGuest(): void {
  inGuest = true;
  atomic.store<u32>(cpu, 1, MMU_IN_GUEST);
}

/** run() executes no guest instructions from here on: it returns, or sleeps in HLT. */
export function leaveGuest(): void {
  atomic.store<u32>(cpu, 0, MMU_IN_GUEST);
  inGuest = false;
}

/** Posts REQ_* bits to every vCPU, this instance's included, and waits until those on other threads took them. */
export function requestAll(request: u32): void {
  const vcpus = load<u32>(VM_VCPU_COUNT);
  for (let i: u32 = 0; i < vcpus; i++) post(i, request);
  for (let i: u32 = 0; i < vcpus; i++) awaitTaken(i, request);
}

/** Posts REQ_* bits to every vCPU but the running one, which take them at their own pace. */
export function requestOthers(request: u32): void {
  const vcpus = load<u32>(VM_VCPU_COUNT);
  const own = load<u32>(cpu, CPU_INDEX);
  for (let i: u32 = 0; i < vcpus; i++) if (i != own) post(i, request);
}

/** Has every vCPU but the running one drop its TLB, and waits until those on other threads did. */
export function flushOthers(): void {
  requestOthers(REQ_TLB_FLUSH);
  const vcpus = load<u32>(VM_VCPU_COUNT);
  const own = load<u32>(cpu, CPU_INDEX);
  for (let i: u32 = 0; i < vcpus; i++) if (i != own) awaitTaken(i, REQ_TLB_FLUSH);
}

/** Takes back a request that this vCPU has just done itself. */
export function dropOwnRequest(request: u32): void {
  atomic.and<u32>(cpu, ~request, REQUESTS);
}

function post(index: u32, request: u32): void {
  const address = VCPU_BASE + index * VCPU_SIZE + REQUESTS;
  atomic.or<u32>(address, request);
  atomic.notify(address, -1);
}

function awaitTaken(index: u32, request: u32): void {
  // This instance is itself between instructions, or the host's: it takes its own request later.
  if (inGuest && index == load<u32>(cpu, CPU_INDEX)) return;
  const vcpu: usize = VCPU_BASE + index * VCPU_SIZE;
  while (atomic.load<u32>(vcpu, MMU_IN_GUEST) && atomic.load<u32>(vcpu, REQUESTS) & request) {
    // The other one may be waiting for this one in the same way.
    if (inGuest && atomic.load<u32>(cpu, REQUESTS) & REQ_TLB_FLUSH) {
      dropOwnRequest(REQ_TLB_FLUSH);
      tlbFlushAll();
    }
  }
}
