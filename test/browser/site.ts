// A site on the loopback interface that serves the library and the test's page in folders of different headers, and
// Chromium, which visits it.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import type { Assignment } from "./tasks.ts";

const root = process.env["WKVM_ROOT"] ?? process.cwd();

/** Shared memory is for pages that let nobody else in (HTML, cross-origin isolation). */
const ISOLATED = { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp" };

/** Folders of the site: the same files under different headers. */
export const FOLDERS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  open: ISOLATED,
  // The strictest policy under which the scripts themselves load.
  strict: { ...ISOLATED, "content-security-policy": "script-src 'self'" },
  wasm: { ...ISOLATED, "content-security-policy": "script-src 'self' 'wasm-unsafe-eval'" },
  "not-isolated": {},
};

const PAGE = '<!doctype html><meta charset="utf-8"><title>wkvm</title><script type="module" src="page.js"></script>';

interface File {
  readonly type: string;
  readonly content: string | Uint8Array;
}

/** Bundles the page and the worker as an application's bundler would: no file may want anything of Node's. */
async function bundle(): Promise<Map<string, File>> {
  const { outputFiles, warnings } = await build({
    absWorkingDir: root,
    entryPoints: ["test/browser/page.ts", "test/browser/worker.ts"],
    outdir: "bundled",
    bundle: true,
    write: false,
    platform: "browser",
    format: "esm",
    target: "es2022",
    logLevel: "silent",
    // The helpers of other tests look at the environment.
    define: { "process.env": "{}" },
  });
  if (warnings.length > 0) throw new Error(warnings.map(({ text }) => text).join("\n"));
  const files = new Map<string, File>([["", { type: "text/html", content: PAGE }]]);
  for (const { path, contents } of outputFiles) {
    files.set(path.slice(path.lastIndexOf("/") + 1), { type: "text/javascript", content: contents });
  }
  const shipped = (name: string) => readFileSync(join(root, "dist", name));
  files.set("core.wasm", { type: "application/wasm", content: shipped("core.wasm") });
  files.set("core-ts.js", { type: "text/javascript", content: shipped("core-ts.js") });
  return files;
}

/** Where Chromium is; undefined where it is not. */
export function findChromium(): string | undefined {
  return ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((path) => existsSync(path));
}

/** A Chromium without a window, on a page; it keeps nothing. */
function startChromium(executable: string, url: string, profile: string): ChildProcess {
  const flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage"];
  return spawn(executable, [...flags, "--disable-extensions", `--user-data-dir=${profile}`, url], {
    stdio: ["ignore", "ignore", "pipe"],
    detached: true,
  });
}

export class Site {
  private assignments: readonly Assignment[] = [];
  private deliver: (results: string) => void = () => {};
  private readonly server = createServer((request, response) => {
    if (request.method === "POST") {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        response.end();
        this.deliver(Buffer.concat(chunks).toString());
      });
    } else this.answer(request.url ?? "/", response);
  });

  private constructor(private readonly files: Map<string, File>) {}

  static async open(): Promise<Site> {
    const site = new Site(await bundle());
    await new Promise<void>((resolve) => site.server.listen(0, "127.0.0.1", resolve));
    return site;
  }

  /** Puts a file into every folder. */
  add(name: string, content: Uint8Array): void {
    this.files.set(name, { type: "application/octet-stream", content });
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }

  private answer(url: string, response: ServerResponse): void {
    const send = (headers: object, { type, content }: File) =>
      response.writeHead(200, { ...headers, "content-type": type, "cache-control": "no-store" }).end(content);
    if (url === "/assignments") {
      send(ISOLATED, { type: "application/json", content: JSON.stringify(this.assignments) });
      return;
    }
    const [, folder = "", name = ""] = url.split("/");
    const headers = FOLDERS[folder];
    const file = this.files.get(name);
    if (headers && file) send(headers, file);
    else response.writeHead(404).end();
  }

  /** Opens the page of a folder in Chromium; resolves to the results of the assignments by name. */
  async visit(chromium: string, folder: string, assignments: readonly Assignment[]): Promise<Record<string, unknown>> {
    this.assignments = assignments;
    const profile = mkdtempSync(join(tmpdir(), "wkvm-chromium-"));
    const { port } = this.server.address() as AddressInfo;
    const browser = startChromium(chromium, `http://127.0.0.1:${port}/${folder}/`, profile);
    let errors = "";
    browser.stderr?.setEncoding("utf8").on("data", (text: string) => {
      errors += text;
    });
    const ended = new Promise<void>((resolve) => browser.on("close", () => resolve()));
    try {
      const results = await new Promise<string>((resolve, reject) => {
        this.deliver = resolve;
        browser.on("error", reject);
        void ended.then(() => reject(new Error(`Chromium ended:\n${errors.slice(-2000)}`)));
      });
      return JSON.parse(results) as Record<string, unknown>;
    } finally {
      // Its processes are a group of their own.
      if (browser.exitCode === null && browser.pid !== undefined) process.kill(-browser.pid, "SIGKILL");
      await ended;
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    }
  }
}
