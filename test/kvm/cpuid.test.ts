import assert from "node:assert/strict";
import { test } from "node:test";
import * as feature from "../../assembly/features.ts";
import { rows } from "../../assembly/isa/row.ts";
import "../../assembly/isa/table.ts";
import { FEATURE_REGISTERS, featureWords, IMPLEMENTED } from "../../host/kvm/cpu-features.ts";
import {
  cpuidFor,
  cpuModels,
  findEntry,
  KVM_EXIT_HLT,
  type KvmCpuidEntry,
  KvmError,
  parseCpuModel,
} from "../../host/kvm/index.ts";
import { makeGuest, openKvm } from "./guest.ts";

const hasCode = (code: string) => (error: unknown) => error instanceof KvmError && error.code === code;

function letters(...registers: (number | undefined)[]): string {
  return registers
    .map((value = 0) => String.fromCharCode(value & 255, (value >> 8) & 255, (value >> 16) & 255, value >>> 24))
    .join("");
}

function text(table: readonly KvmCpuidEntry[], leaf: number): string {
  const entry = findEntry(table, leaf);
  return letters(entry?.eax, entry?.ebx, entry?.ecx, entry?.edx);
}

test("the default model says what keeps kernels from mitigations", () => {
  const table = cpuidFor();
  const leaf0 = findEntry(table, 0);
  assert.equal(letters(leaf0?.ebx, leaf0?.edx, leaf0?.ecx), "AuthenticAMD");
  assert.equal(findEntry(table, 1)?.eax, 0x00a1_0f11, "family 0x19, model 0x11, stepping 1");
  assert.equal((findEntry(table, 0x8000_0000)?.eax ?? 0) >= 0x8000_0021, true);
  const immunity = findEntry(table, 0x8000_0021);
  for (const [bit, what] of [
    [2, "LFENCE serializes"],
    [6, "null clears base"],
    [8, "automatic IBRS"],
    [29, "SRSO_NO"],
  ] as const) {
    assert.equal(((immunity?.eax ?? 0) >>> bit) & 1, 1, what);
  }
  assert.equal((immunity?.ecx ?? 0) & 0x86, 0x86, "TSA_SQ_NO, TSA_L1_NO, and what Linux 6.12.117 asks for beside them");
  const extended = findEntry(table, 0x8000_0008);
  assert.equal((extended?.eax ?? 0) & 0xffff, 0x3028, "40 physical, 48 linear bits");
  for (const [bit, what] of [
    [2, "XSAVE error pointers"],
    [26, "SSB_NO"],
    [29, "BTC_NO"],
  ] as const) {
    assert.equal(((extended?.ebx ?? 0) >>> bit) & 1, 1, what);
  }
  assert.equal(findEntry(table, 0x8000_0007)?.edx, 1 << 8, "invariant TSC");
});

test("the table names the hypervisor, its features and the clock's rate", () => {
  const table = cpuidFor("wkvm64", { tscKhz: 2_000_000 });
  const signature = findEntry(table, 0x4000_0000);
  assert.equal(letters(signature?.ebx, signature?.ecx, signature?.edx), "KVMKVMKVM\0\0\0");
  assert.equal((findEntry(table, 0x4000_0001)?.eax ?? 0) & 0x0100_0009, 0x0100_0009, "clock sources, stable");
  assert.equal(findEntry(table, 0x4000_0010)?.eax, 2_000_000);
  assert.equal(findEntry(cpuidFor("wkvm64", { kvm: false }), 0x4000_0000), undefined);
});

test("brand strings can be read", () => {
  const brand = (name: string) =>
    [2, 3, 4]
      .map((n) => text(cpuidFor(name), 0x8000_0000 + n))
      .join("")
      .replace(/\0+$/, "");
  assert.equal(brand("wkvm64"), "wkvm x86-64 Processor");
  assert.equal(brand("qemu64"), "QEMU Virtual CPU version 2.5+");
});

test("vCPUs differ by their APIC ID, and know how many cores there are", () => {
  const table = cpuidFor("wkvm64", { id: 2, cores: 3 });
  assert.equal((findEntry(table, 1)?.ebx ?? 0) >>> 24, 2);
  assert.equal(((findEntry(table, 1)?.ebx ?? 0) >>> 16) & 255, 3);
  assert.equal(findEntry(table, 0xb, 1)?.edx, 2);
  assert.equal(findEntry(table, 0xb, 1)?.ebx, 3);
  assert.equal(findEntry(table, 0xb, 1)?.eax, 2, "bits of the APIC ID below the package");
  assert.equal(findEntry(table, 0x8000_0008)?.ecx, 0x2002);
  assert.equal(findEntry(table, 0x8000_001e)?.eax, 2);
});

test("every model fits the core's table and shows nothing that is not implemented", () => {
  for (const model of cpuModels()) {
    const table = cpuidFor(model);
    assert.ok(table.length <= 80, `${model.name}: ${table.length} entries`);
    const allowed = featureWords([...IMPLEMENTED, feature.FEAT_HTT]);
    FEATURE_REGISTERS.forEach(({ leaf, subleaf, register }, i) => {
      const shown = findEntry(table, leaf, subleaf)?.[register] ?? 0;
      // AMD repeats bits of leaf 1 EDX in 0x80000001 EDX.
      const repeated = leaf === 0x8000_0001 && register === "edx" ? (allowed[1] as number) & 0x0183_f3ff : 0;
      assert.equal(
        (shown & ~((allowed[i] as number) | repeated)) >>> 0,
        0,
        `${model.name}: ${leaf.toString(16)} ${register}`,
      );
    });
  }
});

test("every instruction in the table of instructions has its CPUID bit", () => {
  // MONITOR and MWAIT are known and refused, as under KVM.
  const hidden = new Set<number>([feature.FEAT_MONITOR]);
  const names = new Map(Object.entries(feature).map(([name, number]) => [number, name]));
  const missing = new Set<string>();
  for (const row of rows) {
    const number = row.feature;
    if (number === undefined || number < 0 || IMPLEMENTED.has(number) || hidden.has(number)) continue;
    missing.add(`${names.get(number)} (${row.name})`);
  }
  assert.deepEqual([...missing], []);
});

test("parseCpuModel() takes what a processor says of itself", () => {
  const model = parseCpuModel("max,vendor=GenuineIntel,phys-bits=36,host-phys-bits=off,family=6,model=58,stepping=9");
  const table = cpuidFor(model);
  const leaf0 = findEntry(table, 0);
  assert.equal(letters(leaf0?.ebx, leaf0?.edx, leaf0?.ecx), "GenuineIntel");
  assert.equal(findEntry(table, 1)?.eax, 0x306a9);
  assert.equal((findEntry(table, 0x8000_0008)?.eax ?? 0) & 0xff, 36);
  for (const bad of ["vendor=Intel", "phys-bits=20", "phys-bits=x", "family=300"]) {
    assert.throws(() => parseCpuModel(`max,${bad}`), hasCode("EINVAL"), bad);
  }
});

test("parseCpuModel() speaks QEMU's language", () => {
  assert.ok(!parseCpuModel("max,-x2apic").features.has(feature.FEAT_X2APIC));
  assert.ok(!parseCpuModel("max,tsc-deadline=off").features.has(feature.FEAT_TSC_DEADLINE));
  assert.ok(parseCpuModel("qemu64,+ssse3,sse4_1=on").features.has(feature.FEAT_SSE41));
  assert.equal(parseCpuModel("host").name, "max");
  assert.throws(() => parseCpuModel("Pentium-9"), hasCode("EINVAL"));
  assert.throws(() => parseCpuModel("max,+levitation"), hasCode("EINVAL"));
  assert.throws(() => parseCpuModel("max,avx=perhaps"), hasCode("EINVAL"));
  assert.ok(!parseCpuModel("max,-x2apic,x2apic=on").features.has(feature.FEAT_X2APIC), "signs count last");
});

test("features that cannot be had are warned about, as QEMU does", () => {
  assert.throws(() => parseCpuModel("max,+vmx"), hasCode("EINVAL"), "nobody to warn");
  const warnings: string[] = [];
  const parse = (text: string) => parseCpuModel(text, (message) => warnings.push(message));
  assert.ok(!parse("max,+vmx").features.has(feature.FEAT_VMX));
  assert.deepEqual(warnings.splice(0), ["wkvm doesn't support requested feature: CPUID.01H:ECX.vmx [bit 5]"]);
  assert.ok(!parse("x86-64-v2,+avx2").features.has(feature.FEAT_AVX2));
  assert.deepEqual(warnings.splice(0), [
    "This feature depends on other features that were not requested: CPUID.07H:EBX.avx2 [bit 5]",
  ]);
  assert.ok(!parse("x86-64-v3,xsave=off").features.has(feature.FEAT_FMA));
  parse("max,+vmx,check=off");
  assert.deepEqual(warnings, [], "nobody asked for what went with XSAVE");
  assert.throws(() => parse("max,+vmx,enforce"), hasCode("EINVAL"));
});

test("models of QEMU's names have the vendor and the features of what they are named after", () => {
  const opteron = parseCpuModel("Opteron_G1");
  assert.equal(opteron.vendor, "AuthenticAMD");
  assert.ok(opteron.features.has(feature.FEAT_SYSCALL) && !opteron.features.has(feature.FEAT_CX16));
  const ivyBridge = parseCpuModel("IvyBridge,phys-bits=36");
  assert.deepEqual([ivyBridge.vendor, ivyBridge.physicalBits], ["GenuineIntel", 36]);
  assert.ok(ivyBridge.features.has(feature.FEAT_AVX) && !ivyBridge.features.has(feature.FEAT_AVX2));
});

test("the levels of the psABI have what programs for them are compiled to use", () => {
  const v2 = parseCpuModel("x86-64-v2").features;
  const v3 = parseCpuModel("x86-64-v3").features;
  const level2 = [
    feature.FEAT_CX16,
    feature.FEAT_LAHF64,
    feature.FEAT_POPCNT,
    feature.FEAT_SSE3,
    feature.FEAT_SSE41,
    feature.FEAT_SSE42,
    feature.FEAT_SSSE3,
  ];
  const level3 = [
    feature.FEAT_AVX,
    feature.FEAT_AVX2,
    feature.FEAT_BMI1,
    feature.FEAT_BMI2,
    feature.FEAT_F16C,
    feature.FEAT_FMA,
    feature.FEAT_ABM,
    feature.FEAT_MOVBE,
  ];
  for (const number of level2) assert.ok(v2.has(number) && v3.has(number), `${number}`);
  for (const number of [...level3, feature.FEAT_XSAVE]) assert.ok(!v2.has(number) && v3.has(number), `${number}`);
  const layout = findEntry(cpuidFor("x86-64-v3"), 0xd);
  assert.deepEqual([layout?.eax, layout?.ecx], [7, 576 + 256]);
  assert.deepEqual(
    [findEntry(cpuidFor("x86-64-v3"), 0xd, 2)].map((e) => [e?.eax, e?.ebx]),
    [[256, 576]],
  );
});

test("CPUID answers what setCpuid2() was given, and 0 before", async () => {
  // cpuid; hlt  (32-bit)
  const ask = async (leaf: number, subleaf: number, table?: KvmCpuidEntry[]) => {
    const { vcpu } = await makeGuest([0x0f, 0xa2, 0xf4], { mode: "protected" });
    if (table) vcpu.setCpuid2(table);
    vcpu.setRegs({ ...vcpu.getRegs(), rax: leaf, rcx: subleaf, rbx: 0xdead });
    assert.equal(vcpu.run().reason, KVM_EXIT_HLT);
    const { rax, rbx, rcx, rdx } = vcpu.getRegs();
    return [rax, rbx, rcx, rdx].map(Number);
  };
  const table = (await openKvm()).getSupportedCpuid();
  for (const [leaf, subleaf] of [
    [0, 0],
    [0xb, 1],
    [0x4000_0000, 0],
    [0x8000_0002, 0],
    [0x8000_001d, 3],
  ] as const) {
    const entry = findEntry(table, leaf, subleaf);
    assert.deepEqual(
      await ask(leaf, subleaf, table),
      [entry?.eax, entry?.ebx, entry?.ecx, entry?.edx],
      leaf.toString(16),
    );
  }
  assert.deepEqual(await ask(0, 0), [0, 0, 0, 0]);
});

test("setCpuid2() refuses too many entries, and changes once the vCPU has run", async () => {
  const { vcpu } = await makeGuest([0xf4]);
  const table = (await openKvm()).getSupportedCpuid();
  const entry = { function: 0, index: 0, flags: 0, eax: 0, ebx: 0, ecx: 0, edx: 0 };
  assert.throws(() => vcpu.setCpuid2(Array(81).fill(entry)), hasCode("E2BIG"));
  assert.throws(() => vcpu.setCpuid2([{ ...entry, eax: -1 }]), hasCode("EINVAL"));
  vcpu.setCpuid2(table);
  vcpu.run();
  vcpu.setCpuid2(table);
  assert.throws(() => vcpu.setCpuid2(table.slice(1)), hasCode("EINVAL"));
});

test("instructions that CPUID does not have are undefined", async () => {
  const { vcpu, ram } = await makeGuest([0xf3, 0x0f, 0xb8, 0xc0, 0xf4]); // popcnt ax, ax; hlt
  ram.set([0xe6, 0x99, 0xf4], 0x2000); // out 0x99, al; hlt: the handler of #UD
  ram.set([0x00, 0x20, 0, 0], 4 * 6);
  vcpu.setCpuid2(cpuidFor("qemu64"));
  const exit = vcpu.run();
  assert.ok("port" in exit && exit.port === 0x99);
});
