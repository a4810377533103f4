// Which character devices a command line asks for: QEMU's defaults, then opening them.
import { Mux, type MuxCommands } from "../chardev/mux.ts";
import { FileChardev } from "../chardev/node/file.ts";
import { Terminal } from "../chardev/node/terminal.ts";
import { NullChardev } from "../chardev/null.ts";
import type { Chardev } from "../chardev/types.ts";
import { type ChardevSpec, parseChardev, type StdioSpec } from "./chardev-spec.ts";
import type { Settings } from "./settings.ts";
import { UsageError } from "./usage-error.ts";

export interface ConsoleOptions {
  readonly settings: Settings;
  readonly program: string;
  readonly commands: MuxCommands;
  /** Ctrl-A c has reached the monitor. */
  readonly onMonitorFocus: () => void;
}

/** What is plugged in where. */
export interface Consoles {
  /** COM1 to COM4; null: the port does not exist. */
  readonly serial: readonly (Chardev | null)[];
  readonly debugcons: readonly { readonly base: number; readonly chardev: Chardev }[];
  /** `shared`: the monitor is behind the escape character and does not show itself before. */
  readonly monitor: { readonly chardev: Chardev; readonly shared: boolean } | undefined;
  /** Writes out what is buffered and puts the terminal back. */
  close(): void;
}

/** Where serial ports and monitor go when the command line does not say (QEMU's system/vl.c has the same cases). */
function withDefaults(settings: Settings): { serials: readonly ChardevSpec[]; monitor: ChardevSpec } {
  const none: ChardevSpec = { kind: "none" };
  const monitor = settings.monitor ?? none;
  if (settings.noDefaults) return { serials: settings.serials, monitor };
  const onTerminal =
    settings.nographic || (!settings.displayNone && !settings.monitor && settings.serials.length === 0);
  if (!onTerminal) {
    // A window would show it; there is none.
    return { serials: settings.serials.length > 0 ? settings.serials : [{ kind: "null" }], monitor };
  }
  if (settings.serials.length === 0) {
    return { serials: [parseChardev(settings.monitor ? "stdio" : "mon:stdio")], monitor };
  }
  const taken = settings.serials.some((spec) => spec.kind === "stdio" && spec.monitor);
  return { serials: settings.serials, monitor: settings.monitor || taken ? monitor : parseChardev("stdio") };
}

/** Opens everything. Throws UsageError or the system's error; what was open by then is closed. */
export function openConsoles(options: ConsoleOptions): Consoles {
  const { settings } = options;
  const { serials, monitor } = withDefaults(settings);
  const opener = new Opener(options);
  try {
    const serial = serials.map((spec) => opener.open(spec));
    const debugcons = settings.devices.flatMap((device) => {
      if (device.driver !== "isa-debugcon") return [];
      return [{ base: device.iobase, chardev: opener.open(device.chardev) ?? new NullChardev() }];
    });
    const own = opener.open(monitor);
    const shared = opener.addMonitor();
    return {
      serial,
      debugcons,
      monitor: shared ? { chardev: shared, shared: true } : own ? { chardev: own, shared: false } : undefined,
      close: () => opener.close(),
    };
  } catch (error) {
    opener.close();
    throw error;
  }
}

class Opener {
  private readonly options: ConsoleOptions;
  private readonly files: FileChardev[] = [];
  private readonly usedIds = new Set<string>();
  private terminal: Terminal | undefined;
  private mux: Mux | undefined;
  private wantsMonitor = false;

  constructor(options: ConsoleOptions) {
    this.options = options;
  }

  /** Null for "none". */
  open(spec: ChardevSpec): Chardev | null {
    switch (spec.kind) {
      case "none":
        return null;
      case "null":
        return new NullChardev();
      case "file": {
        const file = openFile(spec.path, spec.append);
        this.files.push(file);
        return file;
      }
      case "stdio":
        return this.openStdio(spec);
      case "reference":
        return this.openReference(spec.id);
    }
  }

  /** The monitor's place on a shared terminal where one was asked for; it comes after the ports, which get the focus. */
  addMonitor(): Chardev | undefined {
    if (!this.wantsMonitor) return undefined;
    return this.mux?.add({ onFocus: this.options.onMonitorFocus });
  }

  close(): void {
    this.terminal?.close();
    for (const file of this.files) file.close();
  }

  private openStdio(spec: StdioSpec): Chardev {
    if (this.terminal && !(spec.mux && this.mux)) {
      throw new UsageError("cannot use stdio by multiple character devices");
    }
    this.wantsMonitor ||= spec.monitor;
    this.terminal ??= new Terminal({ signals: spec.signals });
    if (!spec.mux) return this.terminal;
    const { settings, commands, program } = this.options;
    this.mux ??= new Mux({ backend: this.terminal, commands, escape: settings.escape, program });
    return this.mux.add();
  }

  private openReference(id: string): Chardev | null {
    const spec = this.options.settings.chardevs.get(id);
    if (!spec) throw new UsageError(`Chardev '${id}' not found`);
    const shareable = spec.kind === "stdio" && spec.mux;
    if (this.usedIds.has(id) && !shareable) throw new UsageError(`Device '${id}' is in use`);
    this.usedIds.add(id);
    return this.open(spec);
  }
}

function openFile(path: string, append: boolean): FileChardev {
  try {
    return new FileChardev(path, append);
  } catch (error) {
    throw new UsageError(`cannot open '${path}' for writing: ${(error as Error).message}`);
  }
}
