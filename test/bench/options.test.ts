// The bench's command line.
import assert from "node:assert/strict";
import { test } from "node:test";
import { OptionError, parseOptions } from "../../bench/options.ts";
import { acceleratorNames } from "../../bench/peers/wkvm.ts";

const parse = (...words: string[]) => parseOptions(words, ["sieve", "lua"]);

test("defaults", () => {
  const options = parse();
  assert.deepEqual([options.quick, options.reps, options.together], [false, 3, false]);
  assert.deepEqual(options.bits, [64, 32]);
  assert.deepEqual(options.programs, []);
  assert.ok(options.parts.includes("boot") && !options.parts.includes("traces"));
  assert.ok(options.peers.includes("v86"));
});

test("--quick is one round in one process", () => {
  const options = parse("--quick");
  assert.deepEqual([options.quick, options.reps, options.together], [true, 1, true]);
  assert.equal(parse("--quick", "--reps", "5").reps, 5);
  assert.deepEqual([parse().scale, parse("--quick").scale, parse("--scale", "64").scale], [8, 1, 64]);
  assert.deepEqual([parse().learn, parse("--quick").learn, parse("--learn", "2").learn], [3, 1, 2]);
});

test("--only takes parts and programs", () => {
  assert.deepEqual(parse("--only", "size,boot").parts, ["size", "boot"]);
  const { parts, programs } = parse("--only", "lua", "--only", "sieve");
  assert.deepEqual([parts, programs], [["programs"], ["lua", "sieve"]]);
});

test("peers, widths and accelerators", () => {
  assert.deepEqual(parse("--peers", "none").peers, []);
  assert.deepEqual(parse("--peers", "v86,native").peers, ["v86", "native"]);
  assert.deepEqual(parse("--bits", "32").bits, [32]);
  assert.deepEqual(parse("--bits", "32,64").bits, [64, 32]);
  assert.deepEqual(parse("--accel", "interp,jit").accelerators, ["interp", "jit"]);
});

test("--base compares two revisions and nothing else", () => {
  const { base, peers, parts, output, tolerance } = parse("--base", "HEAD~1", "--tolerance", "3");
  assert.deepEqual([base, peers, parts, output, tolerance], ["HEAD~1", [], ["boot", "programs"], "-", 0.03]);
  assert.deepEqual(parse("--base", "HEAD", "--peers", "tcg", "--only", "boot").peers, ["tcg"]);
});

test("--prof tells of programs instead of measuring them", () => {
  const { parts, programs, peers, output } = parse("--prof", "--only", "lua");
  assert.deepEqual([parts, programs, peers, output], [["profile"], ["lua"], [], "-"]);
  assert.deepEqual(parse("--prof").parts, ["profile"]);
  assert.ok(!parse().parts.includes("profile"));
});

test("--onto measures what has rounds", () => {
  const { onto, parts, peers } = parse("--onto", "a.json");
  assert.deepEqual([onto, parts, peers.includes("tcg")], ["a.json", ["boot", "programs"], true]);
  assert.deepEqual(parse("--onto", "a.json", "--only", "size,boot").parts, ["size", "boot"]);
  assert.deepEqual(parse("--onto", "a.json", "--only", "lua").programs, ["lua"]);
});

test("what is not understood is named", () => {
  const refused: [string[], RegExp][] = [
    [["--frobnicate"], /unknown option --frobnicate/],
    [["--peers", "xen"], /--peers xen: there are native/],
    [["--only", "nothing"], /--only nothing: neither a part/],
    [["--bits", "16"], /--bits 16/],
    [["--reps", "0"], /--reps 0: 1 to 100/],
    [["--tolerance", "much"], /--tolerance much/],
    [["--reps"], /--reps: a value is missing/],
    [["--scale", "101"], /--scale 101: 1 to 100/],
    [["--onto", "a.json", "--output", "-"], /--onto a\.json: not together with --output/],
    [["--onto", "a.json", "--base", "HEAD"], /--onto a\.json: not together with --base/],
    [["--prof", "--onto", "a.json"], /--onto a\.json: not together with --prof/],
    [["--onto", "a.json", "--only", "idle"], /--onto a\.json: of the parts only boot and programs have rounds/],
  ];
  for (const [words, message] of refused) {
    assert.throws(
      () => parse(...words),
      (error) => error instanceof OptionError && message.test(error.message),
      words.join(" "),
    );
  }
});

test("accelerators are what -accel help lists", () => {
  const help = "Accelerators supported in wkvm:\njit (default)\ninterp (slower)\nkvm\nlockstep,a=A,b=B\n";
  assert.deepEqual(acceleratorNames(help), ["jit", "interp"]);
  assert.deepEqual(acceleratorNames("Accelerators supported in wkvm:\ninterp (default; kvm and tcg mean it too)\n"), [
    "interp",
  ]);
  assert.deepEqual(acceleratorNames(""), []);
});
