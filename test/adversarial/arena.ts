/**
 * Where workers are let loose and judged: a repository per project, a worker's own sandbox for each attempt, and the
 * real referee with its real trees, runners and ratchets. Used by `main.ts` and by tests alike.
 */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type Contract, contractHash } from "../../src/core/contract/contract.ts";
import type { EventBody, SessionEvent } from "../../src/core/events/index.ts";
import type { ExecId, SandboxId, SessionId } from "../../src/core/ids.ts";
import { removeTree } from "../../src/environment/store.ts";
import { createJudge, JUDGE_LIMITS } from "../../src/judge/index.ts";
import type { Gate } from "../../src/referee/gates-list.ts";
import { giveVerdict, runPreflight } from "../../src/referee/index.ts";
import type { JudgeSeam, RefereeFactType, RefereeParts, Surroundings } from "../../src/referee/parts.ts";
import { shellCommand } from "../../src/referee/shell-command.ts";
import { keepHeldOut } from "../../src/runtime/held-out.ts";
import { openRefereeParts } from "../../src/runtime/referee-parts.ts";
import { chooseSandbox, createSandboxBackend, isIsolated } from "../../src/runtime/registry.ts";
import { systemChance, systemClock } from "../../src/runtime/system.ts";
import type { Sandbox, SandboxSpec } from "../../src/sandbox/contract.ts";
import type { Workspaces } from "../../src/workspace/contract.ts";
import { scriptedJudge } from "../support/judge-desk.ts";
import { atMs, calm, someSession, workspacesIn } from "../support/repositories.ts";
import type { Attempt, Files, JudgeScript, Project, Terms } from "./case.ts";
import { firedIn } from "./fired.ts";
import { Layers } from "./layers.ts";
import { linkModules, surroundingsOf } from "./modules.ts";
import { Repositories } from "./repositories.ts";

const WORK_MS_MAX = 120_000;
const OUTPUT_BYTES_MAX = 200_000;
const NO_CONTACT_MS = 120_000;

/** What a plain loop sees: the check in the worker's own sandbox, with the worker's own files. */
export interface OwnRun {
  readonly exitCode: number | null;
  readonly output: string;
}

/** How to judge. */
export interface JudgeOptions {
  readonly gatesOff?: ReadonlySet<Gate>;
  /** Does a person approve everything that waits for one? */
  readonly isApproved?: boolean;
  /** Are the judge's quotes taken for true? */
  readonly believesQuotes?: boolean;
  /** In the place of the attempt's own. */
  readonly judge?: JudgeScript;
}

/** What the referee has said of a candidate. */
export interface Judged {
  readonly verdict: EventBody<"verdict.given">;
  readonly facts: readonly SessionEvent<RefereeFactType>[];
  /** Names of the gates that had something to say. */
  readonly gates: ReadonlySet<string>;
}

/** What a worker has left. */
export interface Candidate {
  readonly own: OwnRun;
  judge(options?: JudgeOptions): Promise<Judged>;
}

/** Everything that attempts share. Dispose of it in the end. */
export class Arena implements AsyncDisposable {
  readonly backend: string;
  readonly #folder: string;
  readonly #workspaces: Workspaces;
  readonly #parts: RefereeParts;
  readonly #repositories: Repositories;
  readonly #works = new Map<string, Promise<Done>>();
  readonly #preflights = new Map<string, Promise<EventBody<"preflight.finished">>>();
  #layers: Promise<Layers> | undefined;

  private constructor(backend: string, folder: string, workspaces: Workspaces, parts: RefereeParts) {
    this.backend = backend;
    this.#folder = folder;
    this.#workspaces = workspaces;
    this.#repositories = new Repositories(join(folder, "projects"), workspaces);
    this.#parts = parts;
  }

  /** @param name - of the sandbox backend; by default the best that works here */
  static async open(name?: string): Promise<Arena> {
    const chosen = name ?? (await chooseSandbox(process.env));
    const folder = realpathSync(mkdtempSync(join(tmpdir(), "nightshift-arena-")));
    mkdirSync(join(folder, "projects"));
    linkModules(folder, isIsolated(chosen));
    const workspaces = workspacesIn(folder);
    const backend = await createSandboxBackend(chosen, { folder: join(folder, "sandboxes") });
    const source = {
      sessionId: someSession(),
      ...{ backend, workspaces, environment: undefined, clock: systemClock, chance: systemChance },
      isIsolated: isIsolated(chosen),
      judges: [],
      stateFolder: folder,
    };
    const parts = await openRefereeParts(source, null);
    return new Arena(chosen, folder, workspaces, { ...parts, judge: null });
  }

  /**
   * Lets the worker work, runs the checks where it worked, and saves what it has left: once for what is the same but
   * for rubrics and judges, and then what was found without a judge is not found again.
   */
  async work(attempt: Attempt): Promise<Candidate> {
    const contract = this.#contractOf(attempt.terms);
    const key = JSON.stringify([
      workKey(attempt.project, contract),
      attempt.script,
      attempt.files,
      attempt.gitlink,
      attempt.ran,
    ]);
    const known = this.#works.get(key) ?? this.#work(attempt, contract);
    this.#works.set(key, known);
    const { own, ...done } = await known;
    return { own, judge: (options = {}) => this.#judge({ ...done, contract }, attempt, options) };
  }

  async #work(attempt: Attempt, contract: Contract): Promise<Done> {
    const session = someSession();
    const { files, base } = await this.#prepare(session, attempt.project);
    const before = await this.#surroundings(session, attempt, base);
    assert(before !== null, "a base asks for what there is");
    const hasLayers = attempt.project.packages !== undefined;
    const first = await this.#inSandbox(session, files, before, async (sandbox) => {
      await this.#write(sandbox, attempt.files ?? {});
      const { exitCode, output } = await execute(sandbox, "work", attempt.script);
      if (exitCode !== 0) throw new Error(`the worker's own script ended with ${exitCode}: ${output}`);
      const request = { number: 1, previous: base, reason: "work", atMs };
      const { commit } = await this.#workspaces.checkpoint(session, request, calm);
      return { commit, own: hasLayers ? null : await ownRun(sandbox, contract, attempt.ran) };
    });
    const commit = await this.#repositories.candidate(session, first.commit, attempt);
    const asked = await this.#surroundings(session, attempt, commit);
    const surroundings = asked ?? before;
    // Another layer comes with another sandbox, which has the same files.
    const run = (sandbox: Sandbox): Promise<OwnRun> => ownRun(sandbox, contract, attempt.ran);
    const own = first.own ?? (await this.#inSandbox(session, files, surroundings, run));
    const preflight = await this.preflight(attempt);
    const found = { session, base, commit, surroundings, isRefused: asked === null };
    return { own, ...found, preflight, shown: [] };
  }

  /** What commands find beside these files; null where a set-up refuses what they ask for. */
  async #surroundings(
    session: SessionId,
    { project, terms }: Pick<Attempt, "project" | "terms">,
    commit: string,
  ): Promise<Surroundings | null> {
    const { packages } = project;
    if (packages === undefined) return surroundingsOf(this.#folder, this.#parts.isIsolated);
    this.#layers ??= Layers.open(this.#folder, this.#parts.backend);
    const layers = await this.#layers;
    layers.publish(packages);
    const argv = terms.contract.criteria[0]?.check?.argv ?? [];
    return this.#workspaces.lend(session, commit, (folder) => layers.of(folder, argv), calm);
  }

  /** The checks on the base; once for each project and contract. @throws Error when work could not begin */
  preflight({
    project,
    terms,
  }: Pick<Attempt, "project" | "terms">): Promise<EventBody<"preflight.finished">> {
    const contract = this.#contractOf(terms);
    const key = workKey(project, contract);
    const known = this.#preflights.get(key) ?? this.#runPreflight({ project, terms }, contract);
    this.#preflights.set(key, known);
    return known;
  }

  async #runPreflight(
    attempt: Pick<Attempt, "project" | "terms">,
    contract: Contract,
  ): Promise<EventBody<"preflight.finished">> {
    const { project } = attempt;
    const session = someSession();
    const { base } = await this.#prepare(session, project);
    const found = await this.#surroundings(session, attempt, base);
    assert(found !== null, "a base asks for what there is");
    const request = { sessionId: session, epoch: 1, contract, base };
    const parts = { ...this.#parts, surroundings: async () => found };
    const shown = await runPreflight(parts, request, calm);
    if (shown.problems.length > 0)
      throw new Error(`${project.name}: ${shown.problems.map(({ message }) => message).join("; ")}`);
    return shown;
  }

  #prepare(session: SessionId, project: Project): ReturnType<Workspaces["prepare"]> {
    const source = this.#repositories.source(project);
    const options = { dirty: "refuse", atMs, copies: !this.#parts.isIsolated } as const;
    return this.#workspaces.prepare(session, source, options, calm);
  }

  #contractOf({ contract, heldOut }: Terms): Contract {
    if (heldOut === undefined) return contract;
    const folder = mkdtempSync(join(this.#folder, "held-out-"));
    writeFiles(folder, heldOut.files);
    const digest = keepHeldOut(folder, join(this.#folder, "held-out"), join(this.#folder, "projects"));
    rmSync(folder, { recursive: true });
    const { argv, target } = heldOut;
    const check = { argv: [...argv], folder: "", shell: false, held_out: { digest, target } };
    const common = { description: "held-out tests", steps: [], role: null, rubric: [], needs: [] };
    return { ...contract, criteria: [...contract.criteria, { id: "held-out", check, ...common }] };
  }

  async #inSandbox<T>(
    session: SessionId,
    files: Pick<SandboxSpec, "workspace" | "overlay">,
    { mounts, environment }: Surroundings,
    use: (sandbox: Sandbox) => Promise<T>,
  ): Promise<T> {
    const { backend } = this.#parts;
    const id = `sbox_${session.slice("sesn_".length)}_w` as SandboxId;
    const spec = { id, ...files, environment, noContactMs: NO_CONTACT_MS, options: {} };
    try {
      const made = await backend.provision(this.#parts.isIsolated ? { ...spec, mounts } : spec, calm);
      const sandbox = await backend.attach(made.handle, 1, calm);
      try {
        return await use(sandbox);
      } finally {
        sandbox.detach();
      }
    } finally {
      await backend.destroy(id, undefined);
    }
  }

  async #write(sandbox: Sandbox, files: Files): Promise<void> {
    for (const [name, content] of Object.entries(files)) {
      const path = JSON.stringify(name.replace(/\*$/, ""));
      const coded = Buffer.from(content).toString("base64");
      const mode = name.endsWith("*") ? `\nchmod +x ${path}` : "";
      const script = `mkdir -p "$(dirname ${path})"\nbase64 -d >${path} <<'END'\n${coded}\nEND${mode}`;
      await execute(sandbox, `write/${name}`, script);
    }
  }

  async #judge(work: Work, attempt: Attempt, options: JudgeOptions): Promise<Judged> {
    const first = await this.#verdict(work, attempt, options, new Set());
    if (options.isApproved !== true || first.verdict.outcome !== "review") return first;
    const hashes = new Set(first.verdict.review.map(({ hash }) => hash));
    return this.#verdict(work, attempt, options, hashes);
  }

  async #verdict(
    { session, contract, base, commit, surroundings, isRefused, preflight, shown }: Work,
    attempt: Attempt,
    { gatesOff = new Set(), believesQuotes = false, judge = attempt.judge }: JudgeOptions,
    approved: ReadonlySet<string>,
  ): Promise<Judged> {
    const isShared = [...gatesOff].every((gate) => JUDGING.has(gate)) && approved.size === 0;
    const facts: SessionEvent<RefereeFactType>[] = isShared ? [...shown] : [];
    const seat = judgeOf({ ...attempt, judge }, believesQuotes);
    const parts = { ...this.#parts, gatesOff, judge: seat, surroundings: async () => surroundings };
    const request = {
      ...{ sessionId: session, number: 1, epoch: 1, contract, contractHash: contractHash(contract) },
      ...{
        base,
        commit,
        preflight,
        waivers: [],
        declared: [],
        approved,
        denied: new Set<string>(),
        done: [...facts],
      },
    };
    const verdict = await giveVerdict(parts, request, calm, async (fact) => {
      const seq = facts.length + 1;
      facts.push({ ...fact, seq, at: 0 } as SessionEvent<RefereeFactType>);
      return seq;
    });
    if (isShared && shown.length === 0) shown.push(...facts.filter(({ type }) => type !== "judge.graded"));
    return {
      verdict,
      facts,
      gates: new Set([...firedIn(verdict, facts), ...(isRefused ? ["sources"] : [])]),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await (await this.#layers)?.[Symbol.asyncDispose]();
    removeTree(this.#folder);
  }
}

interface Done {
  readonly own: OwnRun;
  readonly session: SessionId;
  readonly base: string;
  readonly commit: string;
  /** What its checks find beside the files. */
  readonly surroundings: Surroundings;
  /** Were its packages refused? Then it has those of the base. */
  readonly isRefused: boolean;
  readonly preflight: EventBody<"preflight.finished">;
  /** What a verdict with all gates on has found without its judge. */
  readonly shown: SessionEvent<RefereeFactType>[];
}

type Work = Omit<Done, "own"> & { readonly contract: Contract };

/** Off, they change nothing of what is found without a judge. */
const JUDGING: ReadonlySet<Gate> = new Set(["judge-failure", "rubric-lines"]);

/** The same for contracts that ask the same of commands. */
function workKey({ name }: Project, { criteria, ...contract }: Contract): string {
  const checks = criteria.map(({ id, check, role }) => [id, check, role]);
  return JSON.stringify([name, checks, { ...contract, goal: "" }]);
}

const JUDGE_MODEL = { provider: "scripted", id: "judge", max_output_tokens: 4000 };

function judgeOf(
  { judge, judgeLimits }: { readonly judge: JudgeScript | undefined } & Pick<Attempt, "judgeLimits">,
  believesQuotes: boolean,
): JudgeSeam | null {
  if (judge === undefined) return null;
  return createJudge({
    adapter: scriptedJudge(judge),
    model: JUDGE_MODEL,
    limits: { ...JUDGE_LIMITS, ...judgeLimits },
    clock: systemClock,
    chance: systemChance,
    believesQuotes,
  });
}

function writeFiles(folder: string, files: Files): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
}

/** Up to the first that is red. */
async function ownRun(
  sandbox: Sandbox,
  { criteria }: Contract,
  ran: readonly string[] | undefined,
): Promise<OwnRun> {
  const outputs: string[] = [];
  for (const { id, check } of criteria) {
    if (check === null || check.held_out !== undefined || ran?.includes(id) === false) continue;
    const { exitCode, output } = await execute(sandbox, `own/${id}`, shellCommand(check));
    outputs.push(output);
    if (exitCode !== 0) return { exitCode, output: outputs.join("\n") };
  }
  return { exitCode: 0, output: outputs.join("\n") };
}

async function execute(sandbox: Sandbox, name: string, script: string): Promise<OwnRun> {
  const request = {
    execId: `${sandbox.id}/${name}` as ExecId,
    incarnation: sandbox.incarnation,
    operation: "shell",
    input: { command: `set -e\n${script}`, timeout_ms: WORK_MS_MAX },
    limits: { wallMs: WORK_MS_MAX, outputBytes: OUTPUT_BYTES_MAX },
  } as const;
  const reply = await sandbox.execute(request, { signal: calm });
  if (reply.status !== "finished") throw new Error(`the worker's sandbox was lost: ${reply.status}`);
  return { exitCode: reply.result.exitCode, output: reply.result.output };
}
