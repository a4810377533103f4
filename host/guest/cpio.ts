// cpio archives in the "newc" format that the kernel unpacks as its first root file system
// (Documentation/driver-api/early-userspace/buffer-format.rst).

const MAGIC = "070701";
const TRAILER = "TRAILER!!!";
const S_IFDIR = 0o040000;
const S_IFREG = 0o100000;
const S_IFLNK = 0o120000;
const S_IFCHR = 0o020000;

interface Header {
  readonly mode: number;
  readonly links: number;
  readonly deviceMajor?: number;
  readonly deviceMinor?: number;
}

/** Collects entries; a folder comes before what lies in it. Times are 0 and owners root, so archives repeat exactly. */
export class CpioWriter {
  private readonly parts: Uint8Array[] = [];
  private size = 0;
  private nextInode = 1;

  directory(path: string, permissions = 0o755): void {
    this.entry(path, { mode: S_IFDIR | permissions, links: 2 }, new Uint8Array(0));
  }

  file(path: string, content: Uint8Array, permissions = 0o644): void {
    this.entry(path, { mode: S_IFREG | permissions, links: 1 }, content);
  }

  link(path: string, target: string): void {
    this.entry(path, { mode: S_IFLNK | 0o777, links: 1 }, new TextEncoder().encode(target));
  }

  characterDevice(path: string, major: number, minor: number, permissions = 0o600): void {
    const header = { mode: S_IFCHR | permissions, links: 1, deviceMajor: major, deviceMinor: minor };
    this.entry(path, header, new Uint8Array(0));
  }

  /** The archive, with its trailer, padded to a multiple of 512 bytes. */
  finish(): Uint8Array {
    this.entry(TRAILER, { mode: 0, links: 1 }, new Uint8Array(0));
    this.pad(512);
    const archive = new Uint8Array(this.size);
    let at = 0;
    for (const part of this.parts) {
      archive.set(part, at);
      at += part.length;
    }
    return archive;
  }

  private entry(path: string, header: Header, content: Uint8Array): void {
    const name = new TextEncoder().encode(`${path}\0`);
    const fields = [
      this.nextInode++,
      header.mode,
      0, // uid
      0, // gid
      header.links,
      0, // mtime
      content.length,
      0, // device of the archived file system
      0,
      header.deviceMajor ?? 0,
      header.deviceMinor ?? 0,
      name.length,
      0, // checksum, which this format does not use
    ];
    const hex = fields.map((field) => field.toString(16).padStart(8, "0")).join("");
    this.add(new TextEncoder().encode(MAGIC + hex));
    this.add(name);
    this.pad(4);
    this.add(content);
    this.pad(4);
  }

  private add(bytes: Uint8Array): void {
    this.parts.push(bytes);
    this.size += bytes.length;
  }

  private pad(alignment: number): void {
    this.add(new Uint8Array(-this.size & (alignment - 1)));
  }
}
