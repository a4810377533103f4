// The package as a user gets it: packed, installed elsewhere, imported with its types.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { root } from "./session.ts";

const folder = mkdtempSync(join(tmpdir(), "wkvm-pack-"));
after(() => rmSync(folder, { recursive: true, force: true }));

let tarball = "";
const installed = join(folder, "user", "node_modules", "wkvm");

/** Without the test's own hint where the core is: the package has to find it. */
const { WKVM_CORE: _, ...env } = process.env;

function run(program: string, args: string[], cwd: string): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, { cwd, env, encoding: "utf8" });
  assert.equal(status, 0, `${program} ${args.join(" ")}: ${error ?? ""}${stdout}${stderr}`);
  return stdout;
}

function tool(name: string, ...path: string[]): string {
  return join(root, "node_modules", name, ...path);
}

/** What npm install would do with the tarball, without a network: its dependencies are those of the checkout. */
function install(): void {
  mkdirSync(installed, { recursive: true });
  run("tar", ["-xzf", tarball, "--strip-components=1", "-C", installed], folder);
  const { dependencies } = JSON.parse(readFileSync(join(installed, "package.json"), "utf8"));
  for (const name of Object.keys(dependencies ?? {})) {
    cpSync(tool(name), join(folder, "user", "node_modules", name), { recursive: true });
  }
}

before(() => {
  run("npm", ["pack", "--ignore-scripts", "--silent", "--pack-destination", folder, root], folder);
  tarball = join(folder, readdirSync(folder).find((name) => name.endsWith(".tgz")) ?? "");
  install();
});

test("the package holds what it needs and nothing else", () => {
  const files = run("tar", ["-tzf", tarball], folder).trim().split("\n");
  for (const file of ["package.json", "README.md", "LICENSE", "dist/index.js", "dist/wkvm.js", "dist/core.wasm"]) {
    assert.ok(files.includes(`package/${file}`), `${file} is missing`);
  }
  for (const file of files) {
    assert.match(
      file,
      /^package\/(package\.json|README\.md|LICENSE|dist\/(\w+(-worker)?\.js|core-ts\.js|core\.wasm|types\/.*\.d\.ts))$/,
    );
  }
});

test("the command is executable and answers", () => {
  const bin = join(folder, "user", "node_modules", ".bin");
  mkdirSync(bin, { recursive: true });
  symlinkSync(join(installed, "dist", "wkvm.js"), join(bin, "wkvm"));
  assert.match(run(join(bin, "wkvm"), ["-version"], folder), /^wkvm version /);
});

test('import { Kvm } from "wkvm" runs a guest', () => {
  const user = join(folder, "user");
  writeFileSync(
    join(user, "run.mjs"),
    `import { Kvm } from "wkvm";
const kvm = await Kvm.open();
const vm = kvm.createVm({ memorySize: 1 << 20 });
console.log(kvm.getApiVersion(), vm.memory.byteLength >= 1 << 20);
`,
  );
  assert.equal(run(process.execPath, ["run.mjs"], user), "12 true\n");
});

test("the types are those that the code has", () => {
  const user = join(folder, "user");
  writeFileSync(
    join(user, "typed.mts"),
    `import { Kvm, KVM_EXIT_IO, type VcpuExit } from "wkvm";
const kvm: Kvm = await Kvm.open({ accel: "interp" });
const vm = kvm.createVm({ memorySize: 64 << 20 });
const exit: VcpuExit = vm.createVcpu(0).run();
if (exit.reason === KVM_EXIT_IO) console.log(exit.port.toFixed(), exit.data.length);
// @ts-expect-error: a size is a number
kvm.createVm({ memorySize: "64" });
`,
  );
  const options = {
    noEmit: true,
    strict: true,
    target: "es2022",
    module: "nodenext",
    types: [],
    lib: ["es2022", "dom"],
  };
  writeFileSync(join(user, "tsconfig.json"), JSON.stringify({ compilerOptions: options, files: ["typed.mts"] }));
  run(process.execPath, [tool("typescript", "bin", "tsc"), "-p", "."], user);
});

test("publint finds nothing", () => {
  const output = run(process.execPath, [tool("publint", "src", "cli.js"), "run", tarball, "--strict"], root);
  assert.match(output, /All good/);
});

test("arethetypeswrong finds nothing", () => {
  const attw = tool("@arethetypeswrong/cli", "dist", "index.js");
  assert.ok(existsSync(attw));
  // An ES module package: what require() of older Nodes makes of it is no problem.
  const settings = join(root, ".attw.json");
  run(process.execPath, [attw, tarball, "--config-path", settings, "--no-color"], root);
});
