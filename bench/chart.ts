// Results as a picture: bars of time, as multiples of native for the programs and in seconds for the boots.

import { median } from "./median.ts";
import { ratio } from "./program-figures.ts";
import type { Results } from "./results.ts";

interface Bar {
  readonly label: string;
  readonly runner: string;
  readonly value: number;
  readonly text: string;
}

interface Group {
  readonly title: string;
  readonly bars: readonly Bar[];
  /** Bars' lengths are logarithmic, from 1 up. */
  readonly logarithmic: boolean;
}

const WIDTH = 860;
const LEFT = 190;
const RIGHT = 90;
const BAR = 13;
const GAP = 4;
const TITLE = 40;
const COLORS: Record<string, string> = {
  "wkvm-jit": "#2a6fdb",
  "wkvm-interp": "#8fb8f2",
  "wkvm-ts": "#6a4fc4",
  tcg: "#d9822b",
  "tcg-i386": "#d9822b",
  "tcg, unpacked": "#efb679",
  v86: "#5b9a6b",
  bochs: "#8a8f98",
};
const OTHER_COLOR = "#b05a7a";

/** An SVG file that reads on light and on dark pages. */
export function chart(results: Results): string {
  const groups = [bootGroup(results), programGroup(results, 64), programGroup(results, 32)].filter(
    ({ bars }) => bars.length > 0,
  );
  const body: string[] = [];
  let y = 10;
  for (const group of groups) {
    body.push(text(10, y + 22, group.title, 'font-weight="bold" font-size="14"'));
    y += TITLE;
    y = drawBars(group, y, body) + 12;
  }
  y = legend(groups, y, body);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" width="${WIDTH}" height="${y}" font-family="sans-serif" font-size="11">
<rect width="${WIDTH}" height="${y}" fill="#ffffff"/>
${body.join("\n")}
</svg>
`;
}

function drawBars({ bars, logarithmic }: Group, top: number, body: string[]): number {
  const length = (value: number): number => (logarithmic ? Math.log10(Math.max(value, 1)) : value);
  const longest = Math.max(...bars.map(({ value }) => length(value)), Number.MIN_VALUE);
  let y = top;
  let last = "";
  for (const { label, runner, value, text: figure } of bars) {
    if (label !== last) {
      y += last === "" ? 0 : GAP;
      body.push(text(LEFT - 8, y + BAR - 3, label, 'text-anchor="end"'));
      last = label;
    }
    const width = Math.max(1, (length(value) / longest) * (WIDTH - LEFT - RIGHT));
    body.push(`<rect x="${LEFT}" y="${y}" width="${width.toFixed(1)}" height="${BAR - 2}" fill="${colorOf(runner)}"/>`);
    body.push(text(LEFT + width + 5, y + BAR - 3, figure));
    y += BAR;
  }
  return y;
}

function legend(groups: readonly Group[], y: number, body: string[]): number {
  let x = LEFT;
  for (const runner of new Set(groups.flatMap(({ bars }) => bars.map((bar) => bar.runner)))) {
    body.push(
      `<rect x="${x}" y="${y}" width="11" height="11" fill="${colorOf(runner)}"/>`,
      text(x + 16, y + 10, runner),
    );
    x += 40 + runner.length * 7;
  }
  return y + 24;
}

function bootGroup({ boot = [] }: Results): Group {
  const bars = boot
    .filter(({ runs }) => runs.length > 0)
    .map(({ kernel, runner, runs }) => {
      const value = median(runs.map((run) => run.cpuSeconds));
      return { label: `Linux ${kernel}`, runner, value, text: `${value.toFixed(1)} s` };
    });
  return { title: "Boot to userland, seconds of processor time", bars, logarithmic: false };
}

function programGroup({ programs = [] }: Results, bits: 32 | 64): Group {
  const own = programs.filter((result) => result.bits === bits);
  const names = [...new Set(own.map(({ program }) => program))];
  const runners = [...new Set(own.map(({ runner }) => runner))].filter((name) => name !== "native");
  const bars = names.flatMap((program) =>
    runners
      .map((runner) => ({ runner, value: ratio(own, { program, runner, bits }, "native", "warm") }))
      .filter(({ value }) => value > 0)
      .map(({ runner, value }) => ({ label: program, runner, value, text: `${value.toFixed(1)}×` })),
  );
  return { title: `${bits}-bit guest programs, warm, times native (logarithmic)`, bars, logarithmic: true };
}

function colorOf(runner: string): string {
  return COLORS[runner] ?? OTHER_COLOR;
}

function text(x: number, y: number, content: string, attributes = ""): string {
  const escaped = content.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" fill="#222222" ${attributes}>${escaped}</text>`;
}
