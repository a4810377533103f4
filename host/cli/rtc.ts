// -rtc: what the real-time clock of the machine starts from.
import { parseKeyValues } from "./key-values.ts";
import { UsageError } from "./usage-error.ts";

export type RtcBase =
  | { readonly kind: "utc" }
  | { readonly kind: "localtime" }
  /** Milliseconds since 1970 that the clock shows when the machine starts. */
  | { readonly kind: "date"; readonly epochMs: number };

export function parseRtc(text: string): RtcBase {
  const values = parseKeyValues(text);
  const base = values.get("base") ?? "utc";
  const clock = values.get("clock") ?? "host";
  if (clock !== "host") throw new UsageError(`clock=${clock}: not implemented yet; there is clock=host`);
  const driftFix = values.get("driftfix") ?? "none";
  if (driftFix !== "none") throw new UsageError(`driftfix=${driftFix}: not implemented yet; there is driftfix=none`);
  values.finish();
  if (base === "utc" || base === "localtime") return { kind: base };
  const match = /^(\d{4}-\d{2}-\d{2})(T\d{2}:\d{2}:\d{2})?$/.exec(base);
  const epochMs = match ? Date.parse(`${match[1]}${match[2] ?? "T00:00:00"}Z`) : Number.NaN;
  if (Number.isNaN(epochMs)) {
    throw new UsageError("invalid datetime format\nvalid formats: '2006-06-17T16:01:21' or '2006-06-17'");
  }
  return { kind: "date", epochMs };
}
