// Stock kernels with a plain command line: Debian's 6.1 and 6.12 cloud kernels to a shell, and the 32-bit installer to its
// first screen. WKVM_SOAK=1 runs all of them; without it, the one that the default guest does not show.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { Apt } from "../../host/guest/apt.ts";
import { cached } from "../../host/guest/cache.ts";
import { CommandError } from "../../host/guest/command.ts";
import { unpackDeb } from "../../host/guest/deb.ts";
import { debianGuest } from "../../host/guest/debian.ts";
import { Progress } from "../../host/guest/progress.ts";
import { Session } from "../cli/session.ts";

const BOOT_MS = 600_000;
const LOCKSTEP_MS = 3_600_000;
const ANSWER_MS = 60_000;
const INSTALLER = "debian-installer-12-netboot-i386";
const INSTALLER_FILES = "usr/lib/debian-installer/images/12/i386/text/debian-installer/i386";

const noApt = existsSync("/usr/bin/apt-get") ? false : "no apt-get";
const soakOnly = noApt || (process.env["WKVM_SOAK"] ? false : "npm run soak runs it");

const folder = mkdtempSync(join(tmpdir(), "wkvm-kernels-"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** The cached files of a package that match `pattern`; undefined where apt does not have the package. */
async function packageFiles(name: string, pattern: string): Promise<string | undefined> {
  const files = await cached(`test-${name}`, async (target) => {
    const work = join(target, "work");
    mkdirSync(work);
    const apt = new Apt(work, new Progress());
    await apt.update();
    const real = name.startsWith("linux-image") ? await dependency(apt, name) : name;
    if (real === undefined) throw new CommandError(`apt does not know ${name}`);
    await unpackDeb(await apt.download(real), pattern, join(target, "files"));
    rmSync(work, { recursive: true });
  }).catch((error: unknown) => {
    // Without a network there is nothing to test here.
    if (error instanceof CommandError) return undefined;
    throw error;
  });
  return files && join(files, "files");
}

async function dependency(apt: Apt, name: string): Promise<string | undefined> {
  return /\blinux-image-[^ ,]+/.exec((await apt.field(name, "Depends")) ?? "")?.[0];
}

for (const { name, version, skip } of [
  { name: "linux-image-cloud-amd64", version: /Linux 6\.\d+/, skip: noApt },
  { name: "linux-image-6.12-cloud-amd64", version: /Linux 6\.12\./, skip: soakOnly },
]) {
  test(`${name} boots with a plain command line`, { skip }, async (context) => {
    const files = await packageFiles(name, "./boot/vmlinuz-*");
    if (!files) return context.skip(`${name} cannot be fetched`);
    const kernel = join(files, "boot", readdirSync(join(files, "boot"))[0] ?? "");
    const initrd = join(folder, "initrd");
    writeFileSync(initrd, (await debianGuest()).initrd);
    const machine = ["-m", "256", "-nographic", "-no-reboot"];
    const session = new Session([...machine, "-kernel", kernel, "-initrd", initrd, "-append", "console=ttyS0"]);
    await session.see(/busybox shell;[\s\S]*# /, BOOT_MS);
    session.type("uname -sr; echo $((6*7))\n");
    assert.match(await session.see(/^42\r?$/m, ANSWER_MS), version);
    session.type("grep -H . /sys/devices/system/cpu/vulnerabilities/*; echo listed\n");
    assert.doesNotMatch(await session.see(/^listed\r?$/m, ANSWER_MS), /: Vulnerable/);
    session.type("poweroff -f\n");
    assert.equal((await session.finish(ANSWER_MS)).status, 0);
  });
}

test("Debian's cloud kernel boots to the shell in lockstep", { skip: soakOnly }, async (context) => {
  const name = "linux-image-6.12-cloud-amd64";
  const files = await packageFiles(name, "./boot/vmlinuz-*");
  if (!files) return context.skip(`${name} cannot be fetched`);
  const kernel = join(files, "boot", readdirSync(join(files, "boot"))[0] ?? "");
  const initrd = join(folder, "initrd");
  writeFileSync(initrd, (await debianGuest()).initrd);
  const cores = ["-accel", "lockstep,a=interp,b=ts", "-icount", "shift=0"];
  const machine = [...cores, "-m", "256", "-nographic", "-no-reboot", "-kernel", kernel, "-initrd", initrd];
  const session = new Session([...machine, "-append", "console=ttyS0"]);
  // A difference would end it with what both cores have.
  await session.see(/busybox shell;[\s\S]*# /, LOCKSTEP_MS);
  session.type("poweroff -f\n");
  assert.equal((await session.finish(LOCKSTEP_MS)).status, 0);
});

test(`${INSTALLER} boots to its first screen`, { skip: soakOnly }, async (context) => {
  const files = await packageFiles(INSTALLER, `./${INSTALLER_FILES}/*`);
  if (!files) return context.skip(`${INSTALLER} cannot be fetched`);
  const images = join(files, INSTALLER_FILES);
  const machine = ["-m", "512", "-nographic", "-no-reboot", "-append", "console=ttyS0"];
  const session = new Session([...machine, "-kernel", join(images, "linux"), "-initrd", join(images, "initrd.gz")]);
  await session.see(/Starting system log daemon/, BOOT_MS);
  session.type("\x01x");
  assert.equal((await session.finish(ANSWER_MS)).status, 0);
});
