/** A judge at work in a test: a model in code or a script, files in a sandbox of the judge's own, and the grade. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { sandboxId, sessionId } from "../../src/core/ids.ts";
import type { Json } from "../../src/core/text.ts";
import {
  type Grade,
  type GradeRequest,
  JUDGE_LIMITS,
  type JudgeLimits,
  type JudgeModel,
  type JudgeParts,
} from "../../src/judge/contract.ts";
import { gradeCriterion } from "../../src/judge/judge.ts";
import type { ModelAdapter } from "../../src/model/contract.ts";
import type { ScriptTurn } from "../../src/model/script-schema.ts";
import { createScriptedModel, type Respond, type ScriptedModel } from "../../src/model/scripted.ts";
import { systemChance, systemClock } from "../../src/runtime/system.ts";
import type { Sandbox, SandboxHandle } from "../../src/sandbox/contract.ts";
import { createProcessBackend } from "../../src/sandbox/process.ts";

/** A model in a script or in code. */
export function scriptedJudge(turns: readonly ScriptTurn[] | Respond): ScriptedModel {
  const source = typeof turns === "function" ? turns : { turns: [...turns] };
  return createScriptedModel(source, { clock: systemClock });
}

/** The turn that submits a grade. */
export function submitting(...lines: readonly Json[]): ScriptTurn {
  return { tools: [{ name: "submit_grade", input: { lines: [...lines] } }] };
}

/** One line of it, with one quote. */
export function line(number: number, status: "met" | "unmet", path: string, text: string): Json {
  return { line: number, status, reason: `line ${number} is ${status}`, quotes: [{ path, text }] };
}

/** What the tests say of a grading besides the model. */
export interface GradeOptions {
  readonly rubric?: readonly string[];
  readonly limits?: Partial<JudgeLimits>;
  readonly model?: Partial<JudgeModel>;
  readonly request?: Partial<GradeRequest>;
  readonly parts?: Partial<JudgeParts>;
  readonly signal?: AbortSignal;
}

/** Files in a sandbox, and who grades them. Dispose of it in the end. */
export class JudgeDesk implements AsyncDisposable {
  readonly folder: string = realpathSync(mkdtempSync(join(tmpdir(), "nightshift-judge-")));
  readonly workspace: string = join(this.folder, "files");
  readonly backend = createProcessBackend({ folder: join(this.folder, "sandboxes") });
  readonly #id = sandboxId(sessionId(systemChance.unique(20)), 0);
  #sandbox: Promise<{ readonly handle: SandboxHandle; readonly sandbox: Sandbox }> | undefined;

  constructor(files: { readonly [path: string]: string } = {}) {
    mkdirSync(this.workspace);
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(this.workspace, path)), { recursive: true });
      writeFileSync(join(this.workspace, path), text);
    }
  }

  async sandbox(): Promise<Sandbox> {
    this.#sandbox ??= this.#provision();
    return (await this.#sandbox).sandbox;
  }

  async #provision(): Promise<{ readonly handle: SandboxHandle; readonly sandbox: Sandbox }> {
    const { signal } = new AbortController();
    const spec = { id: this.#id, workspace: this.workspace, noContactMs: 60_000, options: {} };
    const { handle } = await this.backend.provision(spec, signal);
    return { handle, sandbox: await this.backend.attach(handle, 1, signal) };
  }

  /** Grades a criterion with this rubric. */
  async grade(adapter: ModelAdapter, options: GradeOptions = {}): Promise<Grade> {
    const { rubric = ["It adds."], signal = new AbortController().signal } = options;
    const criterion = { id: "adds", description: "add adds", steps: [], check: null, role: null, needs: [] };
    const parts: JudgeParts = {
      adapter,
      model: { provider: "scripted", id: "judge", max_output_tokens: 4000, ...options.model },
      limits: { ...JUDGE_LIMITS, ...options.limits },
      clock: systemClock,
      chance: systemChance,
      ...options.parts,
    };
    const request: GradeRequest = {
      contract: { goal: "Add numbers.", constraints: [] },
      criterion: { ...criterion, rubric: [...rubric] },
      changed: [{ path: "src/add.js", change: "added" }],
      checks: [],
      sandbox: await this.sandbox(),
      ...options.request,
    };
    return await gradeCriterion(parts, request, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const made = await this.#sandbox;
    made?.sandbox.detach();
    await this.backend.destroy(this.#id, made?.handle);
    rmSync(this.folder, { recursive: true, force: true });
  }
}
