// Whether the runners agree on what the programs computed.
import type { ProgramResult } from "./results.ts";

/**
 * The results without the runs whose checksum is wrong, which are told as failures. Right is what came natively, or
 * where nothing did what most runs say.
 */
export function checkChecksums(results: readonly ProgramResult[], say: (text: string) => void): ProgramResult[] {
  return results.map((result) => {
    const { program, bits, runner } = result;
    const expected = expectedChecksum(results.filter((other) => other.program === program && other.bits === bits));
    const wrong = result.runs.filter(({ checksum }) => checksum !== expected);
    if (wrong.length > 0) say(`${bits}-bit ${program} under ${runner}: wrong checksum`);
    return {
      ...result,
      runs: result.runs.filter(({ checksum }) => checksum === expected),
      failures: [
        ...result.failures,
        ...wrong.map(({ checksum }) => `wrong checksum ${checksum} instead of ${expected}`),
      ],
    };
  });
}

function expectedChecksum(results: readonly ProgramResult[]): string | undefined {
  const native = results.find(({ runner }) => runner === "native")?.runs[0]?.checksum;
  if (native !== undefined) return native;
  const votes = new Map<string, number>();
  for (const { checksum } of results.flatMap(({ runs }) => runs)) votes.set(checksum, (votes.get(checksum) ?? 0) + 1);
  return [...votes].sort((a, b) => b[1] - a[1])[0]?.[0];
}
