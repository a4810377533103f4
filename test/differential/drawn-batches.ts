// Batches of drawn cases with the oracle's results: while one is worked on, the oracle runs the next.
import { Batch, type Result } from "./case.ts";
import type { Generator } from "./generator.ts";
import { buildCase } from "./state.ts";

/** Cases of a batch. */
export const BATCH = 2048;

/** Who says what is expected of cases. */
export interface Oracle {
  /** Resolves when the first `count` cases of a batch are taken; `answer`: what becomes of them. */
  submit(batch: Batch, count: number): Promise<{ readonly answer: Promise<Result[]> }>;
  close(): void;
}

interface Submitted {
  readonly batch: Batch;
  readonly answer: Promise<Result[]>;
}

export class DrawnBatches {
  private current: Submitted | undefined;
  private free: Batch | undefined;

  constructor(
    private readonly oracle: Oracle,
    private readonly generator: Generator,
  ) {}

  /** BATCH cases and what the oracle made of them; both are valid until the next call. */
  async next(): Promise<{ readonly batch: Batch; readonly expected: Result[] }> {
    const { batch, answer } = this.current ?? (await this.submit(new Batch(BATCH)));
    const expected = await answer;
    this.current = await this.submit(this.free ?? new Batch(BATCH));
    this.free = batch;
    return { batch, expected };
  }

  /** Draws a batch and hands it to the oracle. */
  private async submit(batch: Batch): Promise<Submitted> {
    for (const test of batch.cases) buildCase(test, this.generator.draw());
    return { batch, ...(await this.oracle.submit(batch, BATCH)) };
  }
}
