// How long it takes from the start of a process to the guest's first instruction: a multiboot kernel whose first
// instructions write to the serial port.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { attempt, type Context } from "./context.ts";
import { withProcess } from "./measured-process.ts";
import { RAM_BYTES } from "./peers/emulator.ts";
import type { StartResult } from "./results.ts";

const LOAD_ADDRESS = 0x100000;
const MULTIBOOT_MAGIC = 0x1badb002;
/** The header says where the image is loaded and entered. */
const MULTIBOOT_ADDRESSES = 0x10000;
const HEADER_BYTES = 32;
const TIMEOUT_SECONDS = 60;

/** mov $0x3f8, %dx; mov $'@', %al; out %al, %dx; hlt; jmp to the hlt. */
const CODE = [0x66, 0xba, 0xf8, 0x03, 0xb0, 0x40, 0xee, 0xf4, 0xeb, 0xfd];

/** Multiboot specification 0.6.96, section 3.1. */
function smallestKernel(): Buffer {
  const image = Buffer.alloc(HEADER_BYTES + CODE.length);
  const end = LOAD_ADDRESS + image.length;
  const words = [
    MULTIBOOT_MAGIC,
    MULTIBOOT_ADDRESSES,
    -(MULTIBOOT_MAGIC + MULTIBOOT_ADDRESSES) >>> 0,
    LOAD_ADDRESS,
    LOAD_ADDRESS,
    end,
    end,
    LOAD_ADDRESS + HEADER_BYTES,
  ];
  for (const [index, word] of words.entries()) image.writeUInt32LE(word, 4 * index);
  image.set(CODE, HEADER_BYTES);
  return image;
}

export async function startPart(context: Context): Promise<StartResult[]> {
  const kernel = join(context.work, "smallest");
  writeFileSync(kernel, smallestKernel());
  const measured = context.emulators
    .filter(({ multiboot, only }) => multiboot && !only)
    .map((emulator) => ({ emulator, times: [] as number[] }));
  const rounds = Math.max(context.options.reps, 3);
  for (let round = 0; round < rounds; round++) {
    for (const { emulator, times } of measured) {
      const outcome = await attempt(context, `start under ${emulator.name}`, () =>
        withProcess(emulator.command({ kernel, initrd: "", append: "" }), (running) =>
          running.until(/@/, TIMEOUT_SECONDS),
        ),
      );
      if ("value" in outcome) times.push(Math.round(outcome.value.wallSeconds * 1000));
    }
  }
  return measured.map(({ emulator, times }) => {
    context.say(`start under ${emulator.name}: ${times.join(", ")} ms to the first instruction`);
    return {
      runner: emulator.name,
      guest: `multiboot kernel of ${HEADER_BYTES + CODE.length} bytes, ${RAM_BYTES / 2 ** 20} MiB`,
      millisecondsToFirstInstruction: times,
    };
  });
}
