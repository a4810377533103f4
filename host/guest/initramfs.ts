// The root file system of the default guest: busybox and an init script.
import { CpioWriter } from "./cpio.ts";

const FOLDERS = ["bin", "dev", "etc", "proc", "root", "run", "sys", "tmp", "usr", "usr/bin"];

// The kernel hands NAME=VALUE words of its command line to init as environment: LINES and COLUMNS come that way.
const INIT = `#!/bin/busybox sh
export PATH=/bin:/usr/bin HOME=/root PS1='\\w # '
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mount -t tmpfs tmpfs /tmp
hostname wkvm
[ -n "$LINES" ] && [ -n "$COLUMNS" ] && stty rows "$LINES" cols "$COLUMNS" </dev/console
unset LINES COLUMNS
echo
echo "Linux $(uname -r) on a processor in WebAssembly. This is a busybox shell;"
echo "poweroff -f ends it, and so does Ctrl-A x."
cd /root
setsid cttyhack sh
poweroff -f
`;

/**
 * An uncompressed archive: reading a few more bytes on the host costs less than unpacking in the guest.
 * `busybox` is a statically linked busybox for the guest.
 */
export function buildInitramfs(busybox: Uint8Array): Uint8Array {
  const cpio = new CpioWriter();
  for (const folder of FOLDERS) cpio.directory(folder, folder === "tmp" ? 0o1777 : 0o755);
  // The kernel opens it for init before anything is mounted.
  cpio.characterDevice("dev/console", 5, 1);
  cpio.file("bin/busybox", busybox, 0o755);
  cpio.link("bin/sh", "busybox");
  cpio.file("etc/passwd", new TextEncoder().encode("root:x:0:0:root:/root:/bin/sh\n"));
  cpio.file("etc/group", new TextEncoder().encode("root:x:0:\n"));
  cpio.file("init", new TextEncoder().encode(INIT), 0o755);
  return cpio.finish();
}
