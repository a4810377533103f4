// A progress bar on the error stream; single lines where that is no terminal.

const WIDTH = 24;

export class Progress {
  private readonly terminal = process.stderr.isTTY === true;
  private label = "";

  /** Begins a step. */
  start(label: string): void {
    this.label = label;
    if (this.terminal) this.draw(0);
    else process.stderr.write(`wkvm: ${label}\n`);
  }

  /** Shows how far the step is: 0 to 100. */
  update(percent: number): void {
    if (this.terminal) this.draw(Math.min(100, Math.max(0, percent)));
  }

  /** Takes the bar away. */
  done(): void {
    if (this.terminal) process.stderr.write("\r\x1b[K");
  }

  private draw(percent: number): void {
    const full = Math.round((percent / 100) * WIDTH);
    const bar = "#".repeat(full) + ".".repeat(WIDTH - full);
    process.stderr.write(`\r\x1b[K[${bar}] ${String(Math.floor(percent)).padStart(3)}% ${this.label}`);
  }
}
