// Oracles and tools that some tests use: installed where that is ours to do, that is as root in CI on a Debian system.
// A test whose tool is missing skips itself and says so by name.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

/** Command that shows a package's presence, and the package. */
const PACKAGES = [
  ["/usr/bin/gcc", "gcc"],
  ["/usr/include/string.h", "libc6-dev"],
  ["/usr/bin/qemu-system-x86_64", "qemu-system-x86"],
  ["/usr/bin/bochs", "bochs"],
  ["/usr/bin/iasl", "acpica-tools"],
  ["/bin/busybox", "busybox-static"],
  ["/usr/bin/gdb", "gdb"],
  ["/usr/bin/xz", "xz-utils"],
  ["/usr/bin/lz4", "lz4"],
  ["/usr/bin/zstd", "zstd"],
  ["/usr/bin/chromium", "chromium"],
];

/** Installs what is missing; names what cannot be had and goes on. */
export function ensureDebianPackages() {
  if (!process.env.CI || process.getuid?.() !== 0 || !existsSync("/usr/bin/apt-get")) return;
  const missing = PACKAGES.filter(([file]) => !existsSync(file)).map(([, name]) => name);
  if (missing.length === 0) return;
  const environment = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const apt = (...args) => spawnSync("apt-get", ["-qq", ...args], { stdio: ["ignore", 2, 2], env: environment }).status;
  apt("update");
  if (apt("install", "-y", "--no-install-recommends", ...missing) === 0) return;
  // One package that cannot be had must not cost the others.
  for (const name of missing) {
    if (apt("install", "-y", "--no-install-recommends", name) !== 0) console.error(`not installed: ${name}`);
  }
}
