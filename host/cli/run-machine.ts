// Makes the machine that a command line describes, runs it to its end, and puts everything back.
import { memoriesMade } from "../boot/decompress/unpacker.ts";
import { cacheFolder } from "../guest/cache.ts";
import type { KvmCpuidEntry } from "../kvm/cpuid-table.ts";
import { describeObstacle, type TranslationObstacle } from "../kvm/obstacle.ts";
import { Kvm } from "../kvm/system.ts";
import { Machine } from "../machine/machine.ts";
import { layOutMemory } from "../machine/memory-map.ts";
import { HumanMonitor, type MonitorTarget } from "../monitor/hmp.ts";
import { type Guest, guestOf } from "./boot-files.ts";
import type { GuestCode } from "./code-cache/guest-code.ts";
import { CodeCache } from "./code-cache/index.ts";
import { type Consoles, openConsoles } from "./consoles.ts";
import { collectGarbage, compileRegions, tuneEngine } from "./engine.ts";
import { Log } from "./log.ts";
import { ProfileFile } from "./profile-file.ts";
import type { Settings } from "./settings.ts";
import { VERSION } from "./version.ts";

const SIGNALS = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 } as const;

/**
 * Returns the exit status. `warn` is told what the user should know though it goes on. Throws what cannot be carried
 * out, with the terminal put back.
 */
export async function runMachine(
  settings: Settings,
  cpuid: (id: number) => readonly KvmCpuidEntry[],
  program: string,
  warn: (message: string) => void,
): Promise<number> {
  const startedMs = performance.now();
  // Before anything is fetched or opened: an impossible size ends it here.
  layOutMemory(settings.memoryBytes);
  const log = new Log(settings.log, settings.trace, settings.logFile);
  const guest = await guestOf(settings);
  if (guest.notice) process.stderr.write(`${program}: ${guest.notice}\n`);
  tuneEngine();
  const code = settings.accelerator.codeCache === false ? undefined : new CodeCache(cacheFolder());
  const kvm = await Kvm.open({ ...settings.accelerator, compile: code && ((bytes) => code.core.compile(bytes)) });
  const guestCode = keepsGuestCode(settings) ? code?.guest(guest.name) : undefined;
  const warnOfObstacle = (obstacle: TranslationObstacle): void =>
    warn(`the guest is interpreted, which takes several times as long: ${describeObstacle(obstacle)}`);
  if (kvm.translationObstacle) warnOfObstacle(kvm.translationObstacle);
  const profile =
    settings.accelerator.profile === undefined ? undefined : new ProfileFile(settings.accelerator.profile);
  let machine: Machine | undefined;
  let monitor: HumanMonitor | undefined;
  let shutDown = false;
  let quit = (): void => {};
  const quitRequested = new Promise<void>((resolve) => {
    quit = resolve;
  });
  const leave = (): void => {
    machine?.quit();
    quit();
  };
  const consoles = openConsoles({
    settings,
    program,
    commands: { quit: leave, saveDisks: () => {}, elapsedMs: () => performance.now() - startedMs },
    onMonitorFocus: () => monitor?.greet(),
  });
  const removeSignals = onSignals(program, leave);
  try {
    machine = makeMachine(settings, kvm, cpuid, guest, guestCode, consoles, log);
    if (memoriesMade > 0) collectGarbage();
    machine.vm.onObstacle = warnOfObstacle;
    if (profile) profile.load(machine.vm);
    else guestCode?.expect(machine.vm);
    const target = { machine, name: settings.name, version: VERSION, quit: leave, isShutDown: () => shutDown };
    monitor = startMonitor(consoles, target);
    if (settings.startPaused) machine.pause();
    const end = await machine.run();
    profile?.save(machine.vm);
    guestCode?.keep(machine.vm);
    code?.core.keep();
    if (end.kind === "poweroff" && settings.noShutdown) {
      shutDown = true;
      await quitRequested;
    }
    // Power off, a reset under -no-reboot and quit are 0; isa-debug-exit has its own.
    return end.status;
  } finally {
    removeSignals();
    consoles.close();
    log.flush();
    machine?.close();
  }
}

/** Whether what the guest's code becomes is kept for later runs: not where time is counted in instructions, as a run would be another one then. */
function keepsGuestCode({ accelerator: { accel }, icountShift }: Settings): boolean {
  return (accel === undefined || accel === "jit") && icountShift === undefined;
}

function makeMachine(
  settings: Settings,
  kvm: Kvm,
  cpuid: (id: number) => readonly KvmCpuidEntry[],
  guest: Guest,
  guestCode: GuestCode | undefined,
  consoles: Consoles,
  log: Log,
): Machine {
  const machine = new Machine({
    kvm,
    cpuid,
    cpus: settings.cpus,
    memoryBytes: guest.memoryBytes,
    boot: guest.files ?? null,
    ...(guest.firmware === undefined ? {} : { firmware: guest.firmware }),
    serial: consoles.serial,
    debugcons: consoles.debugcons,
    debugExits: settings.devices.flatMap((device) =>
      device.driver === "isa-debug-exit" ? [{ base: device.iobase, size: device.iosize }] : [],
    ),
    testDevice: settings.devices.some(({ driver }) => driver === "pc-testdev"),
    pit: settings.pit,
    pitReinject: settings.pitReinject,
    rtcBase: settings.rtc,
    noReboot: settings.noReboot,
    ...(settings.icountShift === undefined ? {} : { vm: { icountShift: settings.icountShift } }),
    ...(settings.uuid === undefined ? {} : { uuid: settings.uuid }),
    ...(log.wantsExits ? { onExit: (exit, vcpu) => log.exit(exit, vcpu) } : {}),
  });
  log.attach({ dump: () => machine.dump(), memory: machine.vm.memory });
  machine.vm.onTrace = (kind, a, b, c) => log.record(kind, a, b, c);
  if (log.wantsModules) machine.vm.onModule = (module, slots) => log.module(module, slots);
  machine.vm.onDiscard = () => guestCode?.gather();
  machine.vm.instantiateRegions = (module, imports, regions) =>
    guestCode?.instantiate(module, imports, regions) ??
    new WebAssembly.Instance(compileRegions(module, regions), imports);
  for (const vcpu of machine.processors.all) vcpu.setLog(log.mask);
  return machine;
}

function startMonitor(consoles: Consoles, target: MonitorTarget): HumanMonitor | undefined {
  if (!consoles.monitor) return undefined;
  const { chardev, shared } = consoles.monitor;
  const monitor = new HumanMonitor(chardev, target);
  if (!shared) monitor.greet();
  return monitor;
}

/** Signals end the machine as QEMU ends: in order, with status 0. Returns what takes the handlers away. */
function onSignals(program: string, leave: () => void): () => void {
  const handlers = Object.entries(SIGNALS).map(([name, number]) => {
    const handler = (): void => {
      process.stderr.write(`${program}: terminating on signal ${number}\n`);
      leave();
    };
    process.on(name as NodeJS.Signals, handler);
    return { name, handler };
  });
  return () => {
    for (const { name, handler } of handlers) process.off(name, handler);
  };
}
