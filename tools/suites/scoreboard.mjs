// Turns results into tables for people.

const SIGNS = { pass: "pass", fail: "FAIL", skip: "skip" };

/** One line an entry, one column a machine, and the sums. */
export function textTable({ arch, rows }) {
  const names = machineNames(rows);
  const width = Math.max(...rows.map(({ name }) => name.length));
  const columns = names.map((name) => Math.max(name.length, 4));
  const line = (first, cells) => [first.padEnd(width), ...cells.map((cell, i) => cell.padEnd(columns[i]))].join("  ");
  const body = rows.map((row) =>
    line(
      row.name,
      names.map((name) => SIGNS[row.results[name].verdict]),
    ),
  );
  const sums = names.map((name) => `${passes(rows, name)}/${rows.length}`);
  return [line(arch, names), ...body, line("passed", sums)].join("\n");
}

/** The sums of several runs as Markdown. */
export function markdownSums(runs) {
  const names = machineNames(runs[0].rows);
  const head = [`| suite | entries | ${names.join(" | ")} |`, `|---|---:|${names.map(() => "---:|").join("")}`];
  const body = runs.map(({ suite, arch, rows }) => {
    const cells = names.map((name) => passes(rows, name));
    return `| ${suite} ${arch} | ${rows.length} | ${cells.join(" | ")} |`;
  });
  return [...head, ...body].join("\n");
}

function machineNames(rows) {
  return Object.keys(rows[0]?.results ?? {});
}

function passes(rows, machine) {
  return rows.filter(({ results }) => results[machine].verdict === "pass").length;
}
