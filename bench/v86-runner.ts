// A process of its own: boots a kernel under v86 with the serial port on standard output. No network, no disk, no sound. Without an
// initrd, the kernel is a multiboot one.
// Arguments: KERNEL INITRD APPEND BYTES_OF_RAM FIRMWARE_FOLDER.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { V86 } from "v86";

const VGA_BYTES = 2 ** 21;
const LINE_FEED = 10;

const [kernel = "", initrd = "", cmdline = "", ramBytes = "", firmware = ""] = process.argv.slice(2);

function image(path: string): { buffer: ArrayBuffer } {
  return { buffer: new Uint8Array(readFileSync(path)).buffer };
}

const emulator = new V86({
  wasm_path: createRequire(import.meta.url).resolve("v86/build/v86.wasm"),
  memory_size: Number(ramBytes),
  vga_memory_size: VGA_BYTES,
  bios: image(join(firmware, "bios.bin")),
  vga_bios: image(join(firmware, "vgabios-stdvga.bin")),
  ...(initrd === "" ? { multiboot: image(kernel) } : { bzimage: image(kernel), initrd: image(initrd), cmdline }),
  disable_keyboard: true,
  disable_mouse: true,
  disable_speaker: true,
  autostart: true,
});

// Whole lines, and what a prompt leaves unfinished a little later: a write for each byte would be time of the bench's.
const line: number[] = [];
let waiting = false;
function flush(): void {
  waiting = false;
  if (line.length > 0) process.stdout.write(Buffer.from(line.splice(0)));
}
emulator.add_listener("serial0-output-byte", (byte: number) => {
  line.push(byte);
  if (byte === LINE_FEED) flush();
  else if (!waiting) {
    waiting = true;
    setImmediate(flush);
  }
});
