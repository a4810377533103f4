// What a command line asks for, checked and in types.
import { MAX_VCPUS } from "../../assembly/layout.ts";
import type { RtcBase } from "../machine/rtc-base.ts";
import { ACCELERATOR_HELP, type AcceleratorChoice, chooseAccelerator, parseAccelerator } from "./accelerator.ts";
import { type ChardevSpec, parseChardev, parseChardevOption } from "./chardev-spec.ts";
import { deviceHelp, type GuestDevice, parseDevice } from "./device-option.ts";
import { parseInteger, parseKeyValues } from "./key-values.ts";
import { addLogItems, addTraceEvents, type LogItem, logHelp, type TraceEvent, traceHelp } from "./log-items.ts";
import type { GivenOption } from "./parse.ts";
import { parseRtc } from "./rtc.ts";
import { parseSize } from "./size.ts";
import { UsageError } from "./usage-error.ts";

const MIB = 2 ** 20;
export const DEFAULT_MEMORY = 128 * MIB;
const DEBUGCON_PORT = 0xe9;
const MAX_SERIAL_PORTS = 4;

export interface Settings {
  memoryBytes: number;
  /** True where -m was given. */
  memoryGiven: boolean;
  accelerator: AcceleratorChoice;
  /** The argument of -cpu as it was given; undefined: the default model. */
  cpus: number;
  cpu: string | undefined;
  kernel: string | undefined;
  /** A firmware image, in place of a kernel. */
  bios: string | undefined;
  initrd: string | undefined;
  append: string | undefined;
  /** COM1 and up, as given; empty: none was asked for. */
  serials: ChardevSpec[];
  monitor: ChardevSpec | undefined;
  devices: GuestDevice[];
  chardevs: Map<string, ChardevSpec>;
  /** 1..26: the control character that commands a shared terminal. */
  escape: number;
  nographic: boolean;
  /** -display none was given: nothing shows the screen, and the serial port is not shown instead. */
  displayNone: boolean;
  noDefaults: boolean;
  noReboot: boolean;
  noShutdown: boolean;
  startPaused: boolean;
  /** There is an 8254. */
  pit: boolean;
  /** Timer ticks that the guest misses come later. */
  pitReinject: boolean;
  rtc: RtcBase;
  /** Guest time is 2^N ns an instruction; undefined: the host's clock. */
  icountShift: number | undefined;
  log: Set<LogItem>;
  trace: Set<TraceEvent>;
  logFile: string | undefined;
  name: string | undefined;
  uuid: string | undefined;
  pidFile: string | undefined;
}

/** Something to print instead of running; the program then ends with status 0. */
export interface Request {
  readonly print: "help" | "version" | "cpu" | { readonly text: string };
}

function defaults(): Settings {
  return {
    memoryBytes: DEFAULT_MEMORY,
    memoryGiven: false,
    accelerator: {
      accel: undefined,
      threshold: undefined,
      maxModules: undefined,
      profile: undefined,
      codeCache: undefined,
      verify: undefined,
      lockstep: undefined,
    },
    cpus: 1,
    cpu: undefined,
    kernel: undefined,
    bios: undefined,
    initrd: undefined,
    append: undefined,
    serials: [],
    monitor: undefined,
    devices: [],
    chardevs: new Map(),
    escape: 1,
    nographic: false,
    displayNone: false,
    noDefaults: false,
    noReboot: false,
    noShutdown: false,
    startPaused: false,
    pit: true,
    pitReinject: true,
    rtc: "utc",
    icountShift: undefined,
    log: new Set(),
    trace: new Set(),
    logFile: undefined,
    name: undefined,
    uuid: undefined,
    pidFile: undefined,
  };
}

/** What takes one processor alone. */
function checkSeveralProcessors({ cpus, icountShift, accelerator }: Settings): void {
  if (cpus === 1) return;
  if (icountShift !== undefined) throw new UsageError("-icount with more than one processor: not implemented yet");
  if (accelerator.verify) throw new UsageError("-accel jit,verify=on takes one processor");
}

type Handler = (settings: Settings, value: string) => Request | undefined | void;

const isHelp = (value: string): boolean => value === "help" || value === "?";

const HANDLERS: Record<string, Handler> = {
  h: () => ({ print: "help" }),
  version: () => ({ print: "version" }),
  machine: setMachine,
  cpu: (settings, value) => {
    if (isHelp(value)) return { print: "cpu" };
    settings.cpu = value;
  },
  accel: (settings, value) => {
    if (isHelp(value)) return { print: { text: ACCELERATOR_HELP } };
    settings.accelerator = parseAccelerator(value);
  },
  "enable-kvm": () => {},
  smp: setProcessors,
  m: setMemory,
  name: setName,
  uuid: setUuid,
  rtc: (settings, value) => {
    settings.rtc = parseRtc(value);
  },
  icount: setIcount,
  nodefaults: (settings) => {
    settings.noDefaults = true;
  },
  "no-user-config": () => {},
  kernel: (settings, value) => {
    settings.kernel = value;
  },
  bios: (settings, value) => {
    settings.bios = value;
  },
  append: (settings, value) => {
    settings.append = value;
  },
  initrd: (settings, value) => {
    settings.initrd = value;
  },
  nographic: (settings) => {
    settings.nographic = true;
  },
  display: (settings, value) => {
    settings.displayNone = true;
    return onlyNone(value, "displays");
  },
  vga: (_, value) => onlyNone(value, "video cards"),
  parallel: (_, value) => onlyNone(value, "parallel ports"),
  net: (_, value) => onlyNone(value, "network cards"),
  nic: (_, value) => onlyNone(value, "network cards"),
  serial: (settings, value) => {
    if (settings.serials.length === MAX_SERIAL_PORTS) throw new UsageError("there are at most four serial ports");
    settings.serials.push(parseChardev(value));
  },
  monitor: (settings, value) => {
    settings.monitor = parseChardev(value);
    if (settings.monitor.kind === "file") throw new UsageError(`'${value}': a monitor needs a terminal: stdio or none`);
  },
  debugcon: (settings, value) => {
    settings.devices.push({ driver: "isa-debugcon", iobase: DEBUGCON_PORT, chardev: parseChardev(value) });
  },
  chardev: (settings, value) => {
    const { id, spec } = parseChardevOption(value);
    if (settings.chardevs.has(id)) throw new UsageError(`Duplicate ID '${id}' for chardev`);
    settings.chardevs.set(id, spec);
  },
  echr: setEscape,
  device: (settings, value) => {
    if (isHelp(value)) return { print: { text: deviceHelp() } };
    settings.devices.push(parseDevice(value));
  },
  global: setGlobal,
  "no-reboot": (settings) => {
    settings.noReboot = true;
  },
  "no-shutdown": (settings) => {
    settings.noShutdown = true;
  },
  S: (settings) => {
    settings.startPaused = true;
  },
  d: (settings, value) => {
    if (isHelp(value)) return { print: { text: logHelp() } };
    addLogItems(value, settings.log, settings.trace);
  },
  D: (settings, value) => {
    settings.logFile = value;
  },
  trace: (settings, value) => {
    if (isHelp(value)) return { print: { text: traceHelp() } };
    setTrace(settings, value);
  },
  pidfile: (settings, value) => {
    settings.pidFile = value;
  },
};

/** Reads options in their order. Throws UsageError with the option that is wrong in front of the message. */
export function readSettings(options: readonly GivenOption[]): Settings | Request {
  const settings = defaults();
  for (const { name, value } of options) {
    const handler = HANDLERS[name];
    if (!handler) throw new UsageError(`-${name}: not implemented yet`);
    try {
      const request = handler(settings, value);
      if (request) return request;
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      throw new UsageError(`-${name}${value === "" ? "" : ` ${value}`}: ${error.message}`);
    }
  }
  if (settings.kernel === undefined && settings.initrd !== undefined) {
    throw new UsageError("-initrd only allowed with -kernel option");
  }
  if (settings.accelerator.accel === "lockstep" && settings.icountShift === undefined) {
    throw new UsageError("-accel lockstep needs a deterministic machine: -icount shift=0");
  }
  checkSeveralProcessors(settings);
  if (settings.kernel !== undefined && settings.bios !== undefined) {
    throw new UsageError("-bios with -kernel: not implemented yet: a kernel is started without firmware");
  }
  return settings;
}

function setMachine(settings: Settings, value: string): Request | undefined {
  if (isHelp(value)) {
    return { print: { text: "Supported machines are:\npc                   Standard PC (i440FX + PIIX) (default)\n" } };
  }
  const values = parseKeyValues(value, "type");
  const type = values.get("type") ?? "pc";
  if (type !== "pc") throw new UsageError("unsupported machine type\nUse -machine help to list supported machines");
  const accelerators = values.get("accel");
  if (accelerators !== undefined) settings.accelerator.accel = chooseAccelerator(accelerators);
  for (const off of ["usb", "graphics", "vmport"]) {
    if (values.boolean(off, false)) throw new UsageError(`${off}=on: not implemented yet`);
  }
  settings.pit = values.boolean("pit", settings.pit);
  if (!values.boolean("acpi", true)) throw new UsageError("acpi=off: not implemented yet");
  values.finish((key) => `Property 'pc-machine.${key}' not found`);
  return undefined;
}

function setProcessors(settings: Settings, value: string): Request | undefined {
  const values = parseKeyValues(value, "cpus");
  const parts = ["sockets", "dies", "clusters", "cores", "threads"].map((key) => values.integer(key, 1));
  const product = parts.reduce((left, right) => left * right, 1);
  const count = values.integer("cpus", product);
  const most = values.integer("maxcpus", Math.max(count, product));
  values.finish();
  if (count < 1 || product < 1) throw new UsageError("CPU topology parameters must be greater than zero");
  if (most < count) throw new UsageError(`maxcpus must be equal to or greater than smp: ${most} < ${count}`);
  if (most !== count) throw new UsageError("maxcpus: processors that are plugged in later: not implemented yet");
  if (count > MAX_VCPUS) throw new UsageError(`${count} processors: there can be ${MAX_VCPUS}`);
  settings.cpus = count;
  return undefined;
}

function setMemory(settings: Settings, value: string): void {
  const values = parseKeyValues(value, "size");
  settings.memoryBytes = parseSize(values.get("size") ?? "", "size", MIB);
  settings.memoryGiven = true;
  for (const key of ["slots", "maxmem"]) {
    if (values.has(key)) throw new UsageError(`${key}: memory hotplug: not implemented yet`);
  }
  values.finish();
}

function setName(settings: Settings, value: string): void {
  const values = parseKeyValues(value, "guest");
  settings.name = values.get("guest");
  if (values.has("process")) process.title = values.get("process") as string;
  // Threads have no names of their own here, so either answer is carried out.
  values.boolean("debug-threads", false);
  values.finish();
}

function setUuid(settings: Settings, value: string): void {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value)) {
    throw new UsageError("failed to parse UUID string: wrong format");
  }
  settings.uuid = value.toLowerCase();
}

function setIcount(settings: Settings, value: string): void {
  const values = parseKeyValues(value, "shift");
  const text = values.get("shift") ?? "";
  if (text === "auto") throw new UsageError("shift=auto: not implemented yet; give a number");
  const shift = parseInteger(text);
  if (shift === undefined || shift > 10) throw new UsageError("icount: Invalid shift value (0 to 10)");
  for (const key of ["align", "rr", "rrfile", "rrsnapshot"]) {
    if (values.has(key) && values.get(key) !== "off") throw new UsageError(`${key}: not implemented yet`);
  }
  if (!values.boolean("sleep", true)) throw new UsageError("sleep=off: not implemented yet");
  values.finish();
  settings.icountShift = shift;
}

/** The one property that can be set for all devices of a kind. */
function setGlobal(settings: Settings, value: string): void {
  const [, policy] = /^kvm-pit\.lost_tick_policy=(.*)$/.exec(value) ?? [];
  if (policy === undefined) throw new UsageError("not implemented yet; there is kvm-pit.lost_tick_policy");
  if (policy !== "delay" && policy !== "discard") throw new UsageError("lost_tick_policy is delay or discard");
  settings.pitReinject = policy === "delay";
}

function setEscape(settings: Settings, value: string): void {
  const code = parseInteger(value);
  if (code === undefined || code < 1 || code > 26)
    throw new UsageError("expects the number of a control character, 1 to 26");
  settings.escape = code;
}

function setTrace(settings: Settings, value: string): void {
  const values = parseKeyValues(value, "enable");
  const pattern = values.get("enable");
  if (pattern !== undefined) addTraceEvents(pattern, settings.trace);
  if (values.has("events")) throw new UsageError("events=FILE: not implemented yet");
  if (values.has("file")) throw new UsageError("file=FILE: not implemented yet; -D FILE takes traces too");
  values.finish();
}

function onlyNone(value: string, what: string): undefined {
  if (value !== "none") throw new UsageError(`${what}: not implemented yet; there is none`);
  return undefined;
}
