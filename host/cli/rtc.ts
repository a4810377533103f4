// -rtc: what the real-time clock of the machine starts from.
import type { RtcBase } from "../machine/rtc-base.ts";
import { parseKeyValues } from "./key-values.ts";
import { UsageError } from "./usage-error.ts";

export function parseRtc(text: string): RtcBase {
  const values = parseKeyValues(text);
  const base = values.get("base") ?? "utc";
  const clock = values.get("clock") ?? "host";
  if (clock !== "host") throw new UsageError(`clock=${clock}: not implemented yet; there is clock=host`);
  const driftFix = values.get("driftfix") ?? "none";
  if (driftFix !== "none") throw new UsageError(`driftfix=${driftFix}: not implemented yet; there is driftfix=none`);
  values.finish();
  if (base === "utc" || base === "localtime") return base;
  const match = /^(\d{4}-\d{2}-\d{2})(T\d{2}:\d{2}:\d{2})?$/.exec(base);
  const date = new Date(match ? `${match[1]}${match[2] ?? "T00:00:00"}Z` : Number.NaN);
  if (Number.isNaN(date.getTime())) {
    throw new UsageError("invalid datetime format\nvalid formats: '2006-06-17T16:01:21' or '2006-06-17'");
  }
  return date;
}
