// The host bridge of the 440FX chip set (82441FX), as far as a guest without its own firmware looks at it.
import { PciFunction } from "./pci-function.ts";

/** PAM0-PAM6 and SMRAM: which parts of 0xa0000-0xfffff are RAM. The machine keeps them all RAM; values read back. */
const PAM0 = 0x59;
const SMRAM = 0x72;

export class I440fxHostBridge extends PciFunction {
  constructor() {
    super({ vendorId: 0x8086, deviceId: 0x1237, revision: 2, classCode: 0x060000 });
    for (let offset = PAM0; offset < PAM0 + 7; offset++) {
      this.config.allowWrite8(offset, 0xff);
    }
    this.config.set8(SMRAM, 0x02);
    this.config.allowWrite8(SMRAM, 0x78);
  }
}
