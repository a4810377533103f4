// The A20 gate: one signal with several drivers (keyboard controller, port 0x92). The processor core has no
// address mask, so the gate only remembers what was asked, for guests that read it back.

/** Open (address line 20 passes) at power-up, as behind any firmware. */
export class A20Gate {
  open = true;
}
