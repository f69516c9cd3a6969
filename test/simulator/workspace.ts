/** The files of a session and what the operations of a simulated daemon do to them. */
import { hash } from "node:crypto";
import type { Json } from "../../src/core/text.ts";
import type { ExecRequest, PrepareReply } from "../../src/sandbox/contract.ts";
import {
  parseEditInput,
  parseReadInput,
  parseSearchInput,
  parseShellInput,
  parseWriteInput,
} from "../../src/sandbox/inputs.ts";

/** What an execution will do once its time has come. */
export interface Plan {
  readonly durationMs: number;
  /** When, from the start, its effect happens; null for operations that change nothing. */
  readonly effectMs: number | null;
  /** Makes the change. @returns what the command prints, and its exit code; null for `refused` */
  readonly perform: () => { readonly output: string; readonly exitCode: number | null };
}

/** Content hash as in prepared writes. */
function contentHash(content: string | undefined): string | null {
  return content === undefined ? null : hash("sha256", content, "hex");
}

/** A folder full of texts. */
export class Workspace {
  readonly #files: Map<string, string>;

  constructor(files: ReadonlyMap<string, string> = new Map()) {
    this.#files = new Map(files);
  }

  get files(): ReadonlyMap<string, string> {
    return this.#files;
  }

  /** What an execution will do. The input has been checked by the tool before, so it parses. */
  plan(request: ExecRequest): Plan {
    switch (request.operation) {
      case "shell":
        return this.#shell(request.input);
      case "write":
      case "edit":
        return this.#change(request, request.operation);
      case "read":
        return quick(() => this.#read(request.input));
      case "glob":
      case "grep":
        return quick(() => this.#search(request.operation === "glob", request.input));
    }
  }

  prepare(operation: "write" | "edit", input: Json): PrepareReply {
    const change = this.#next(operation, input);
    if (typeof change === "string") return { status: "refused", reason: change };
    const before = contentHash(this.#files.get(change.path));
    if (change.content === undefined)
      return { status: "refused", reason: `${change.path} does not hold the old text`, before };
    return { status: "prepared", path: change.path, before, after: contentHash(change.content) };
  }

  /** Where a change leads: the path and its new content, undefined when it does not apply; or what is wrong. */
  #next(
    operation: "write" | "edit",
    input: Json,
  ): { readonly path: string; readonly content: string | undefined } | string {
    if (operation === "write") {
      const parsed = parseWriteInput(input);
      return parsed.ok ? parsed.value : parsed.problem;
    }
    const parsed = parseEditInput(input);
    if (!parsed.ok) return parsed.problem;
    const { path, oldText, newText } = parsed.value;
    const current = this.#files.get(path);
    if (current === undefined || !current.includes(oldText)) return { path, content: undefined };
    return { path, content: current.replace(oldText, () => newText) };
  }

  #change(request: ExecRequest, operation: "write" | "edit"): Plan {
    const perform: Plan["perform"] = () => {
      const change = this.#next(operation, request.input);
      if (typeof change === "string") return { output: change, exitCode: null };
      const before = contentHash(this.#files.get(change.path));
      if (change.content === undefined || before !== request.expectedBefore)
        return { output: `${change.path} has changed in the meantime`, exitCode: null };
      this.#files.set(change.path, change.content);
      return { output: `changed ${change.path}`, exitCode: 0 };
    };
    return { durationMs: 20, effectMs: 10, perform };
  }

  /** Commands are words and options: `step 3 --ms 500 --effect 200 --exit 0 --out 40 --file notes.md --print TEXT`. */
  #shell(input: Json): Plan {
    const parsed = parseShellInput(input);
    const command = parsed.ok ? parsed.value.command : "";
    const option = (name: string): string | undefined =>
      new RegExp(`--${name} (\\S+)`).exec(command)?.[1] ?? undefined;
    const durationMs = Number(option("ms") ?? 50);
    const file = option("file");
    return {
      durationMs,
      effectMs: Math.min(durationMs, Number(option("effect") ?? durationMs / 2)),
      perform: () => {
        if (file !== undefined) this.#files.set(file, `${this.#files.get(file) ?? ""}${command}\n`);
        const printed = `${option("print") ?? ""}${".".repeat(Number(option("out") ?? 0))}`;
        return { output: printed, exitCode: Number(option("exit") ?? 0) };
      },
    };
  }

  #read(input: Json): string {
    const parsed = parseReadInput(input);
    if (!parsed.ok) return parsed.problem;
    return this.#files.get(parsed.value.path) ?? `${parsed.value.path} does not exist`;
  }

  #search(isByName: boolean, input: Json): string {
    const parsed = parseSearchInput(input);
    if (!parsed.ok) return parsed.problem;
    const { pattern } = parsed.value;
    const found = [...this.#files].filter(([path, content]) =>
      isByName ? path.includes(pattern) : content.includes(pattern),
    );
    return found.map(([path]) => path).join("\n");
  }
}

function quick(look: () => string): Plan {
  return { durationMs: 5, effectMs: null, perform: () => ({ output: look(), exitCode: 0 }) };
}
