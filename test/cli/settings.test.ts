import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCommandLine } from "../../host/cli/parse.ts";
import { readSettings, type Settings } from "../../host/cli/settings.ts";

const MIB = 2 ** 20;

function settings(line: string): Settings {
  const result = readSettings(parseCommandLine(line.split(" ").filter((word) => word !== "")));
  assert.ok(!("print" in result));
  return result;
}

function refuses(line: string, message: RegExp): void {
  assert.throws(() => settings(line), message, line);
}

test("the issue's long command line is understood", () => {
  const all = settings(
    "-m 256 -smp 1 -kernel K -initrd I -append A -nographic -no-reboot -cpu max,-x2apic -accel interp -serial stdio " +
      "-serial file:F -serial null -device isa-debug-exit,iobase=0xf4,iosize=0x04 -debugcon file:F -display none " +
      "-d in_asm,int,cpu,mmu,exec,unimp -trace kvm_exit -D log -icount shift=3 -monitor none -nodefaults -M pc " +
      "-enable-kvm -rtc base=utc -name N -uuid 12345678-1234-1234-1234-123456789abc",
  );
  assert.equal(all.memoryBytes, 256 * MIB);
  assert.deepEqual([all.kernel, all.initrd, all.append, all.cpu], ["K", "I", "A", "max,-x2apic"]);
  assert.deepEqual(
    all.serials.map((spec) => spec.kind),
    ["stdio", "file", "null"],
  );
  assert.deepEqual(all.devices[0], { driver: "isa-debug-exit", iobase: 0xf4, iosize: 4 });
  assert.equal(all.devices[1]?.driver, "isa-debugcon");
  assert.deepEqual([...all.log].sort(), ["cpu", "exec", "in_asm", "int", "mmu", "unimp"]);
  assert.deepEqual([...all.trace], ["kvm_exit"]);
  assert.deepEqual([all.icountShift, all.logFile, all.rtc, all.name], [3, "log", "utc", "N"]);
  assert.ok(all.noReboot && all.noDefaults && all.nographic && all.displayNone);
});

test("defaults are QEMU's", () => {
  const none = settings("");
  assert.equal(none.memoryBytes, 128 * MIB);
  assert.deepEqual([none.noReboot, none.noShutdown, none.startPaused, none.escape], [false, false, false, 1]);
});

test("ticks that the guest misses are made up for unless -global says otherwise", () => {
  assert.ok(settings("").pitReinject);
  assert.ok(!settings("-global kvm-pit.lost_tick_policy=discard").pitReinject);
  refuses("-global kvm-pit.lost_tick_policy=merge", /lost_tick_policy is delay or discard/);
  refuses("-global ide-hd.serial=x", /not implemented yet/);
});

test("there are up to 16 processors, with what several of them allow", () => {
  assert.equal(settings("").cpus, 1);
  assert.equal(settings("-smp 3").cpus, 3);
  assert.equal(settings("-smp cores=2,sockets=2").cpus, 4);
  refuses("-smp 17", /17 processors: there can be 16/);
  refuses("-smp 2,maxcpus=1", /maxcpus must be equal to or greater than smp/);
  refuses("-smp 2 -icount shift=0", /-icount with more than one processor: not implemented yet/);
  refuses("-smp 2 -accel jit,verify=on", /verify=on takes one processor/);
});

test("the timer can be left out", () => {
  assert.ok(settings("").pit);
  assert.ok(!settings("-machine pit=off").pit);
});

test("two dashes do as well as one", () => {
  assert.equal(settings("--m 64").memoryBytes, 64 * MIB);
});

test("kvm and tcg name the default accelerator, alone or in a list", () => {
  for (const name of ["kvm", "tcg", "interp", "kvm:tcg"]) settings(`-accel ${name}`);
  settings("-machine pc,accel=kvm:tcg");
  assert.equal(settings("-accel ts").accelerator.accel, "ts");
  assert.equal(settings("-machine pc,accel=ts").accelerator.accel, "ts");
  assert.deepEqual(settings("-accel jit,threshold=50").accelerator, {
    accel: "jit",
    threshold: 50,
    maxModules: undefined,
    profile: undefined,
    codeCache: undefined,
    verify: undefined,
    lockstep: undefined,
  });
  assert.equal(settings("-accel jit,code-cache=off").accelerator.codeCache, false);
  assert.equal(settings("-accel interp,code-cache=on").accelerator.codeCache, true);
  refuses("-accel ts,code-cache=off", /Property 'ts-accel.code-cache' not found/);
  assert.equal(settings("-accel jit,profile=a/b").accelerator.profile, "a/b");
  refuses("-accel interp,profile=a", /Property 'interp-accel.profile' not found/);
  assert.equal(settings("-accel jit,verify=on").accelerator.verify, true);
  refuses("-accel lockstep,verify=on -icount shift=0", /Property 'lockstep-accel.verify' not found/);
  assert.equal(settings("-accel jit,max-modules=7").accelerator.maxModules, 7);
  refuses("-accel jit,max-modules=0", /Parameter 'max-modules' expects a number from 1 to 4096/);
  refuses("-accel interp,threshold=50", /Property 'interp-accel.threshold' not found/);
  const { accel, lockstep } = settings("-accel lockstep,a=ts,b=interp,every=1000 -icount shift=0").accelerator;
  assert.deepEqual({ accel, lockstep }, { accel: "lockstep", lockstep: { a: "ts", b: "interp", every: 1000 } });
  refuses("-accel lockstep", /needs a deterministic machine/);
  refuses("-accel lockstep,a=lockstep -icount shift=0", /Parameter 'a' expects/);
  refuses("-accel whpx", /-accel whpx: invalid accelerator whpx/);
});

test("what QEMU has and this does not is refused by name", () => {
  refuses("-hda disk.img", /^UsageError: -hda: not implemented yet/);
  for (const option of [
    "-drive x",
    "-netdev user,id=n",
    "-vnc :1",

    "-s",
    "-gdb tcp::1",
    "-qmp stdio",
    "-loadvm x",
  ]) {
    refuses(option, new RegExp(`${option.split(" ")[0]}: not implemented yet`));
  }
  refuses("disk.img", /disk\.img: disk images: not implemented yet/);
  refuses("-smp 2,maxcpus=4", /plugged in later: not implemented yet/);
  refuses("-serial pty", /not implemented yet/);
  refuses("-display gtk", /not implemented yet/);
  refuses("-d op_opt", /'op_opt': not implemented yet/);
});

test("what QEMU does not have is an invalid option", () => {
  refuses("-frobnicate", /-frobnicate: invalid option/);
  refuses("-no-reboot=1", /-no-reboot=1: invalid option/);
  refuses("-m", /-m: requires an argument/);
});

test("bad values name the option and the value", () => {
  refuses("-m x", /-m x: Parameter 'size' expects/);
  refuses("-m foo=3", /Parameter 'size' expects|Invalid parameter 'foo'/);
  refuses("-m 256,maxmem=1G", /memory hotplug: not implemented yet/);
  refuses("-uuid 3", /-uuid 3: failed to parse UUID/);
  refuses("-rtc base=noon", /invalid datetime format/);
  refuses("-icount shift=x", /icount: Invalid shift value/);
  refuses("-machine q35", /unsupported machine type/);
  refuses("-machine pc,foo=1", /Property 'pc-machine\.foo' not found/);
  refuses("-device isa-debug-exit,foo=1", /Property 'isa-debug-exit\.foo' not found/);
  refuses("-device nope", /'nope' is not a valid device model name/);
  refuses("-device isa-debug-exit,iobase=0x10000", /beyond the last port/);
  refuses("-trace nope", /trace event 'nope' does not exist/);
  refuses("-d nope", /'nope' is not a log item/);
  refuses("-initrd x", /-initrd only allowed with -kernel option/);
  refuses("-chardev null,id=a -chardev null,id=a", /Duplicate ID 'a'/);
});

test("help is an answer, not an error", () => {
  for (const line of [
    "-h",
    "--help",
    "-version",
    "-cpu help",
    "-machine help",
    "-accel help",
    "-device ?",
    "-d help",
  ]) {
    assert.ok("print" in readSettings(parseCommandLine(line.split(" "))), line);
  }
});

test("a date sets the clock", () => {
  assert.deepEqual(settings("-rtc base=2006-06-17T16:01:21").rtc, new Date("2006-06-17T16:01:21Z"));
});

test("trace patterns may hold stars", () => {
  assert.deepEqual([...settings("-trace enable=kvm_*").trace].sort(), ["kvm_exit", "kvm_io", "kvm_mmio"]);
});
