import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { loadKernel } from "../../host/boot/loader.ts";
import { BootError } from "../../host/boot/types.ts";
import { unpackPayload } from "../../host/boot/unpack.ts";
import { bzImage, elf, filesFor, machineWith } from "./kernels.ts";

/** Bytes that compress and look like code: branches for the x86 filter, runs, and noise. */
function sample(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let seed = 12345;
  for (let i = 0; i < length; i++) {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    bytes[i] = i % 512 < 300 ? (i * 7) & 0x3f : seed >>> 24;
    if (i % 37 === 0 && i + 5 < length) {
      bytes.set(
        [0xe8, (0x5000 - i) & 0xff, ((0x5000 - i) >> 8) & 0xff, i < 0x5000 ? 0 : 0xff, i < 0x5000 ? 0 : 0xff],
        i,
      );
      i += 4;
    }
  }
  return bytes;
}

function packWith(command: string, args: string[], input: Uint8Array): Uint8Array | null {
  const { status, stdout } = spawnSync(command, args, { input, maxBuffer: 2 ** 28 });
  return status === 0 ? new Uint8Array(stdout) : null;
}

function withSize(packed: Uint8Array, size: number): Uint8Array {
  const bytes = new Uint8Array(packed.length + 4);
  bytes.set(packed);
  new DataView(bytes.buffer).setUint32(packed.length, size, true);
  return bytes;
}

const SAMPLE = sample(300_000);
const GZIP = new Uint8Array(gzipSync(SAMPLE));

test("gzip payloads", () => {
  const { format, bytes, release } = unpackPayload(GZIP, "k");
  assert.deepEqual({ format, bytes }, { format: "gzip", bytes: SAMPLE });
  release();
  assert.equal(bytes.length, 0, "given back");
});

const PACKERS: readonly [string, string, string[]][] = [
  ["xz", "xz", ["--check=crc32", "--x86", "--lzma2=dict=1MiB"]],
  ["xz", "xz", ["--check=crc64", "--lzma2=dict=64KiB,lc=2,lp=2,pb=0"]],
  ["xz", "xz", ["--check=sha256", "--block-size=70000"]],
  ["lz4", "lz4", ["-l", "-9", "-c"]],
  ["zstd", "zstd", ["-19", "-c"]],
];

for (const [format, command, args] of PACKERS) {
  test(`${command} ${args.join(" ")}`, (context) => {
    const packed = packWith(command, args, SAMPLE);
    if (packed === null) {
      context.skip(`${command} is not installed`);
      return;
    }
    const payload = withSize(packed, SAMPLE.length);
    const unpacked = unpackPayload(payload, "k");
    assert.deepEqual({ format: unpacked.format, bytes: unpacked.bytes }, { format, bytes: SAMPLE });
    unpacked.release();
    assert.equal(unpacked.bytes.length, 0, "given back");
    // Damage anywhere gives an error or, where no checksum covers it, other bytes; never a foreign exception or a hang.
    for (let at = 6; at < packed.length; at += Math.ceil(packed.length / 60)) {
      const damaged = payload.slice();
      damaged[at] = (damaged[at] as number) ^ 0x55;
      try {
        unpackPayload(damaged, "k");
      } catch (error) {
        assert.ok(error instanceof BootError, String(error));
      }
    }
    assert.throws(() => unpackPayload(withSize(packed.subarray(0, packed.length >> 1), SAMPLE.length), "k"), BootError);
    assert.throws(() => unpackPayload(withSize(packed, SAMPLE.length + 1), "k"), BootError);
  });
}

test("formats that are known but not supported are named", () => {
  for (const [magic, name] of [
    [[0x42, 0x5a, 0x68], "bzip2"],
    [[0x5d, 0x00, 0x00], "lzma"],
    [[0x89, 0x4c, 0x5a, 0x4f], "lzo"],
    [[0x00, 0x00, 0x00], "an unknown format"],
  ] as const) {
    assert.throws(() => unpackPayload(Uint8Array.from([...magic, 0, 0, 0, 0, 1, 0, 0, 0]), "k"), new RegExp(name));
  }
});

test("a bzImage is entered through the PVH note of the kernel inside", () => {
  const code = new Uint8Array(0x1000).fill(0x90);
  const inner = elf({ is64Bit: true, entry: 0x1000000, load: { paddr: 0x1000000, data: code }, pvhEntry: 0x1000050 });
  const image = loadKernel(filesFor(bzImage({ payload: new Uint8Array(gzipSync(inner)) })), machineWith(64));
  assert.equal(image.registers.rip, 0x1000050);
  assert.match(image.description, /bzImage \(gzip\).*PVH/);
  image.release?.();
  assert.equal(image.regions[0]?.data.length, 0, "the unpacked kernel is given back");
  const asItIs = loadKernel(filesFor(bzImage({ payload: new Uint8Array(gzipSync(inner)) })), machineWith(64), "guest");
  assert.equal(asItIs.registers.rip, 0x1000000);
  assert.ok(asItIs.registers.rsi);
});
