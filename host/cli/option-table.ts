// QEMU's options that wkvm carries out, with the help that -h prints.

export interface Option {
  /** Spelling without the dash; the first one is the canonical one. */
  readonly names: readonly string[];
  /** How the help shows the argument; absent: takes none. */
  readonly argument?: string;
  readonly help: string;
}

export interface Section {
  readonly title: string;
  readonly options: readonly Option[];
}

export const SECTIONS: readonly Section[] = [
  {
    title: "Standard options",
    options: [
      { names: ["h", "help"], help: "show this text" },
      { names: ["version"], help: "show the version" },
      { names: ["machine", "M"], argument: "[type=]pc[,accel=A]", help: "machine type (-machine help lists them)" },
      { names: ["cpu"], argument: "MODEL[,+F][,-F]", help: "processor model and features (-cpu help lists them)" },
      {
        names: ["accel"],
        argument: "NAME",
        help: "accelerator: jit, interp, ts or lockstep; kvm and tcg mean jit (-accel help)",
      },
      { names: ["enable-kvm"], help: "same as -accel kvm" },
      { names: ["smp"], argument: "[cpus=]N", help: "number of processors, which take turns: 1 to 16 (default 1)" },
      { names: ["m"], argument: "[size=]MEGS", help: "guest memory, in MiB or with a suffix (default 128)" },
      { names: ["name"], argument: "[guest=]STRING", help: "name of the guest" },
      { names: ["uuid"], argument: "UUID", help: "the machine's UUID" },
      { names: ["rtc"], argument: "[base=utc|localtime|DATETIME]", help: "what the real-time clock starts from" },
      { names: ["icount"], argument: "[shift=]N", help: "virtual time: 2^N ns an instruction, so that runs repeat" },
      { names: ["nodefaults"], help: "no default devices: no serial port and no monitor unless asked for" },
      { names: ["no-user-config"], help: "read no user configuration (there is none)" },
    ],
  },
  {
    title: "Booting Linux and other kernels",
    options: [
      { names: ["kernel"], argument: "FILE", help: "bzImage, ELF with PVH note, or multiboot kernel" },
      { names: ["append"], argument: "TEXT", help: "its command line" },
      { names: ["initrd"], argument: "FILE", help: "its initial RAM disk" },
      { names: ["bios"], argument: "FILE", help: "a firmware image to start instead of a kernel" },
    ],
  },
  {
    title: "Consoles",
    options: [
      { names: ["nographic"], help: "serial port and monitor on this terminal: Ctrl-A h for help, Ctrl-A x to leave" },
      { names: ["display"], argument: "none", help: "what shows the screen" },
      { names: ["vga"], argument: "none", help: "video card" },
      { names: ["serial"], argument: "DEV", help: "COM1..COM4: stdio, mon:stdio, file:FILE, null, none, chardev:ID" },
      { names: ["parallel"], argument: "none", help: "parallel port" },
      { names: ["monitor"], argument: "none|stdio", help: "where the monitor goes" },
      { names: ["debugcon"], argument: "DEV", help: "debug console at port 0xe9" },
      { names: ["chardev"], argument: "stdio|file|null,id=ID[,path=F]", help: "a character device to refer to" },
      { names: ["echr"], argument: "N", help: "escape character instead of Ctrl-A, as a number" },
    ],
  },
  {
    title: "Devices",
    options: [
      { names: ["device"], argument: "DRIVER[,KEY=VALUE]", help: "add a device (-device help lists them)" },
      { names: ["global"], argument: "kvm-pit.lost_tick_policy=P", help: "ticks that are missed: delay or discard" },
      { names: ["net"], argument: "none", help: "network cards" },
      { names: ["nic"], argument: "none", help: "network cards" },
    ],
  },
  {
    title: "Running and debugging",
    options: [
      { names: ["no-reboot"], help: "exit instead of rebooting" },
      { names: ["no-shutdown"], help: "stop instead of exiting when the guest powers off" },
      { names: ["S"], help: "do not start the processor (the monitor's cont does)" },
      { names: ["d"], argument: "ITEM,...", help: "log these items (-d help lists them)" },
      { names: ["D"], argument: "FILE", help: "log to a file instead of the error stream" },
      { names: ["trace"], argument: "[enable=]PATTERN", help: "log these events (-trace help lists them)" },
      { names: ["pidfile"], argument: "FILE", help: "write the process number to a file" },
    ],
  },
];

/** Options of QEMU that wkvm does not have (yet), so that they can be refused by name; "=" marks those with an argument. */
export const REFUSED: readonly string[] = (
  "numa= add-fd= set= boot= mem-path= mem-prealloc k= audio-help audio= audiodev= fda= fdb= hda= hdb= hdc= hdd= " +
  "cdrom= blockdev= drive= mtdblock= sd= snapshot fsdev= virtfs= iscsi= usb usbdevice= spice= portrait rotate= " +
  "full-screen vnc= win2k-hack no-fd-bootchk no-acpi no-hpet acpitable= smbios= netdev= tpmdev= pflash= dtb= " +
  "compat= fw_cfg= qmp= qmp-pretty= mon= singlestep one-insn-per-tb preconfig overcommit= gdb= s dfilter= seed= L= " +
  "xen-domid= xen-attach xen-domid-restrict action= loadvm= daemonize option-rom= watchdog= watchdog-action= incoming= " +
  "only-migratable chroot= runas= run-with= sandbox= readconfig= plugin= async-teardown msg= dump-vmstate= " +
  "enable-sync-profile object= semihosting semihosting-config= old-param prom-env= perfmap jitdump g= tb-size= shim="
).split(" ");
