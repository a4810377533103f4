// What boots when no kernel is named: Debian's cloud kernel with busybox, or where that cannot be had the project's own
// small guest.
import { readFileSync } from "node:fs";
import { smallGuest } from "../boot/small-guest/small-guest.ts";
import type { BootFiles } from "../boot/types.ts";
import { CommandError } from "./command.ts";
import { debianGuest } from "./debian.ts";

/** Debian's kernels tick at 250 Hz: `lpj` is loops (TSC cycles here) a tick. */
const KERNEL_HZ = 250;

/** Work at boot that a shell does not need; DESIGN.md section 7 has what each is worth. */
const SKIPPED_INITCALLS = [
  "load_system_certificate_list",
  "jent_mod_init",
  "bpf_tcp_ca_kfunc_init",
  "init_kprobe_trace",
  "trace_eval_init",
  "bpf_dummy_struct_ops_init",
];

export interface DefaultGuestOptions {
  /** Rate of the guest's time-stamp counter. */
  readonly tscKhz: number;
  /** Added to the kernel's command line. */
  readonly append?: string;
  /** Size of the terminal, if there is one. */
  readonly terminal?: { readonly rows: number; readonly columns: number };
}

export interface DefaultGuest {
  /** Reads the files anew at each call. */
  readonly files: () => BootFiles;
  /** For the user: what is missing, and what to do about it. */
  readonly notice?: string;
}

/** Fetches what is not cached; never fails for want of a network. */
export async function defaultGuest(options: DefaultGuestOptions): Promise<DefaultGuest> {
  try {
    const { kernel, initrd } = await debianGuest();
    return {
      files: () => ({
        kernel: readFileSync(kernel),
        kernelName: kernel,
        initrd: new Uint8Array(initrd),
        initrdName: "initramfs",
        commandLine: commandLine(options),
      }),
    };
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return {
      files: () => ({ kernel: smallGuest(), kernelName: "small guest", commandLine: "" }),
      notice: fallbackNotice(error.message),
    };
  }
}

function commandLine({ tscKhz, append, terminal }: DefaultGuestOptions): string {
  const words = [
    "console=ttyS0 quiet mitigations=off nokaslr cryptomgr.notests apparmor=0 selinux=0 audit=0 no_timer_check",
    `tsc_early_khz=${tscKhz} lpj=${(tscKhz * 1000) / KERNEL_HZ}`,
    `initcall_blacklist=${SKIPPED_INITCALLS.join(",")}`,
  ];
  if (terminal) words.push(`LINES=${terminal.rows} COLUMNS=${terminal.columns}`);
  if (append) words.push(append);
  return words.join(" ");
}

function fallbackNotice(reason: string): string {
  return [
    `Debian's kernel cannot be fetched (${reason}).`,
    "Booting the small built-in guest instead. Any Linux kernel for x86-64 boots with",
    "  wkvm -m 256 -nographic -kernel KERNEL -initrd INITRD -append console=ttyS0",
  ].join("\n");
}
