// Markdown tables, and how figures are written in them.

export type Cell = string | number;

export function table(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const line = (cells: readonly Cell[]): string => `| ${cells.join(" | ")} |`;
  const rule = `|${head.map((_, index) => (index === 0 ? " --- " : " ---: ")).join("|")}|`;
  return `${[line(head), rule, ...rows.map(line)].join("\n")}\n`;
}

/** Three digits or so. */
const figure = (value: number): string => value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);

export const seconds = (value: number): string => (Number.isNaN(value) ? "-" : value.toFixed(value < 10 ? 2 : 1));
export const milliseconds = (value: number): string => (Number.isNaN(value) ? "-" : figure(value * 1000));
export const times = (value: number): string => (Number.isNaN(value) ? "-" : `${figure(value)}×`);
export const percent = (share: number): string => `${(100 * share).toFixed(1)}%`;
