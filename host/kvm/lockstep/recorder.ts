// What the leading core asks of the host, so that the following one gets the same answers.

import type { CoreImports } from "../core.ts";
import { randomU32, wallNs } from "../platform.ts";

type Answer =
  | { readonly kind: "nowNs" | "wallNs" | "randomU32"; readonly value: number }
  | { readonly kind: "doorbell"; readonly value: number; readonly calls: (() => void)[] };

/** The host as both cores of a pair see it. */
export class Recorder {
  private answers: Answer[] = [];
  private next = 0;
  private leading = false;
  private lenient = false;
  private clock = 0;
  /** What the cores asked for differently, if they did. */
  complaint: string | undefined;

  constructor(private readonly host: CoreImports) {}

  /** The leading core's turn. */
  lead(): void {
    this.answers = [];
    this.complaint = undefined;
    this.leading = true;
  }

  /** The following core's turn. Leniently: it may look at the clock less often or more often than the leader. */
  follow(how: "exactly" | "leniently" = "exactly"): void {
    this.next = 0;
    this.leading = false;
    this.lenient = how === "leniently";
    if (this.lenient) this.answers = this.answers.filter(({ kind }) => kind !== "nowNs");
  }

  /** Says where the follower has asked for less. */
  finish(): void {
    const left = this.answers[this.next];
    if (left) this.complaint ??= `only the first core asked for ${left.kind}`;
  }

  /** True while the leading core runs: what is called now comes from inside it. */
  get isLeading(): boolean {
    return this.leading;
  }

  /** Has the follower do as well what a callback of the doorbell that rings now has done to the leader. */
  afterDoorbell(again: () => void): void {
    const last = this.answers.at(-1);
    if (last?.kind === "doorbell") last.calls.push(again);
  }

  /** The imports of both cores. */
  readonly imports: Required<Omit<CoreImports, "onModule" | "instantiateRegions" | "onDiscard">> = {
    nowNs: () => this.number("nowNs", () => this.host.nowNs()),
    wallNs: () => this.number("wallNs", wallNs),
    randomU32: () => this.number("randomU32", randomU32),
    doorbell: (index) => this.ring(index),
    trace: (kind, a, b, c) => {
      if (this.leading) this.host.trace(kind, a, b, c);
    },
    onObstacle: (obstacle) => this.host.onObstacle?.(obstacle),
  };

  private number(kind: "nowNs" | "wallNs" | "randomU32", ask: () => number): number {
    if (this.leading) {
      const value = ask();
      this.answers.push({ kind, value });
      if (kind === "nowNs") this.clock = value;
      return value;
    }
    // Time is counted in instructions: this clock only ends a run().
    if (this.lenient && kind === "nowNs") return this.clock;
    const answer = this.take(kind);
    return answer?.kind === kind ? answer.value : 0;
  }

  private ring(index: number): void {
    if (this.leading) {
      this.answers.push({ kind: "doorbell", value: index, calls: [] });
      this.host.doorbell(index);
      return;
    }
    const answer = this.take("doorbell");
    if (answer?.kind !== "doorbell") return;
    if (answer.value !== index) this.complaint ??= `doorbell ${answer.value} in the first core, ${index} in the second`;
    for (const again of answer.calls) again();
  }

  private take(kind: Answer["kind"]): Answer | undefined {
    const answer = this.answers[this.next];
    if (answer?.kind !== kind) {
      this.complaint ??= `the first core asked for ${answer?.kind ?? "nothing"}, the second for ${kind}`;
      return undefined;
    }
    this.next += 1;
    return answer;
  }
}
