/** A project in a session's workspace, a worker that leaves a candidate, and a referee to look at it. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import {
  CONTRACT_DEFAULTS,
  type Contract,
  type Criterion,
  contractHash,
} from "../../src/core/contract/contract.ts";
import type { EventBody, SessionEvent } from "../../src/core/events/index.ts";
import type { SessionId } from "../../src/core/ids.ts";
import type { RefereeFact, RefereeFactType, RefereeParts, VerdictRequest } from "../../src/referee/parts.ts";
import { runPreflight } from "../../src/referee/preflight.ts";
import { giveVerdict } from "../../src/referee/referee.ts";
import { createRunners } from "../../src/referee/runners/runners.ts";
import { refereeTrees } from "../../src/referee/tree/trees.ts";
import { createSandboxBackend, sandboxWarning } from "../../src/runtime/registry.ts";
import { systemChance, systemClock } from "../../src/runtime/system.ts";
import type { SandboxBackend } from "../../src/sandbox/contract.ts";
import type { Workspaces } from "../../src/workspace/contract.ts";
import {
  atMs,
  calm,
  inWorkspace,
  repository,
  someSession,
  temporaryFolder,
  workspacesIn,
} from "../support/repositories.ts";

/** Everything in a court. */
export class Court {
  readonly folder: string;
  readonly workspaces: Workspaces;
  readonly session: SessionId;
  readonly base: string;
  readonly parts: RefereeParts;
  readonly facts: SessionEvent<RefereeFactType>[] = [];
  #checkpoints = 0;
  #verdicts = 0;

  private constructor(open: Pick<Court, "folder" | "workspaces" | "session" | "base" | "parts">) {
    this.folder = open.folder;
    this.workspaces = open.workspaces;
    this.session = open.session;
    this.base = open.base;
    this.parts = open.parts;
  }

  static async open(
    backend: string,
    files: Readonly<Record<string, string>>,
    {
      wrap,
      ...changes
    }: Partial<RefereeParts> & { readonly wrap?: (backend: SandboxBackend) => SandboxBackend } = {},
  ): Promise<Court> {
    const folder = temporaryFolder();
    const source = repository(join(folder, "project"), files);
    const workspaces = workspacesIn(folder);
    const session = someSession();
    const isIsolated = sandboxWarning(backend) === undefined;
    const options = { dirty: "refuse", atMs, copies: !isIsolated } as const;
    const { base } = await workspaces.prepare(session, source, options, calm);
    const sandboxes = join(folder, "sandboxes");
    onTestFinished(() => rmSync(sandboxes, { recursive: true, force: true }));
    const made = await createSandboxBackend(backend, { folder: sandboxes });
    const parts: RefereeParts = {
      backend: wrap?.(made) ?? made,
      isIsolated,
      trees: refereeTrees(workspaces),
      runners: createRunners(),
      ratchet: async () => [],
      surroundings: null,
      judge: null,
      clock: systemClock,
      chance: systemChance,
      scratch: join(folder, "scratch"),
      heldOut: () => undefined,
      ...changes,
    };
    return new Court({ folder, workspaces, session, base, parts });
  }

  /** The worker writes these files, and they are saved. @returns the commit */
  put(files: Readonly<Record<string, string>>): Promise<string> {
    const lines = Object.entries(files).map(([path, content]) => {
      const coded = Buffer.from(content).toString("base64");
      return `mkdir -p "$(dirname ${path})"; echo ${coded} | base64 -d > ${path}`;
    });
    return this.work(lines.join("\n"));
  }

  /** The worker does this, and its files are saved. @returns the commit */
  async work(script: string): Promise<string> {
    const prepared = await this.workspaces.find(this.session);
    if (prepared === undefined) throw new Error("a session has a workspace");
    inWorkspace(prepared.files, script);
    const request = { number: ++this.#checkpoints, previous: this.#last, reason: "work", atMs };
    const { commit } = await this.workspaces.checkpoint(this.session, request, calm);
    this.#saved = commit;
    return commit;
  }

  #saved: string | undefined;

  get #last(): string {
    return this.#saved ?? this.base;
  }

  preflight(contract: Contract, signal: AbortSignal = calm): Promise<EventBody<"preflight.finished">> {
    const request = { sessionId: this.session, epoch: 1, contract, base: this.base };
    return runPreflight(this.parts, request, signal);
  }

  async request(
    contract: Contract,
    commit: string,
    changes: Partial<VerdictRequest> = {},
  ): Promise<VerdictRequest> {
    return {
      sessionId: this.session,
      number: ++this.#verdicts,
      epoch: 1,
      contract,
      contractHash: contractHash(contract),
      base: this.base,
      commit,
      preflight: changes.preflight ?? (await this.preflight(contract)),
      waivers: [],
      declared: [],
      approved: new Set(),
      denied: new Set(),
      done: [],
      ...changes,
    };
  }

  /** Facts get places, as they would in a log. */
  judge(request: VerdictRequest, signal: AbortSignal = calm): Promise<EventBody<"verdict.given">> {
    return giveVerdict(this.parts, request, signal, async (fact) => this.#note(fact));
  }

  #note(fact: RefereeFact): number {
    const seq = this.facts.length + 1;
    this.facts.push({ ...fact, seq, at: 0 } as SessionEvent<RefereeFactType>);
    return seq;
  }

  async verdict(
    contract: Contract,
    commit: string,
    changes: Partial<VerdictRequest> = {},
  ): Promise<EventBody<"verdict.given">> {
    return this.judge(await this.request(contract, commit, changes));
  }
}

/** A contract of these criteria. */
export function contractOf(...criteria: readonly (Partial<Criterion> & { readonly id: string })[]): Contract {
  const whole = criteria.map(
    (given): Criterion => ({
      description: given.id,
      ...{ steps: [], check: null, role: null, rubric: [], needs: [] },
      ...given,
    }),
  );
  return { ...CONTRACT_DEFAULTS, goal: "it works", criteria: whole };
}

/** A command as a check. */
export function check(...argv: readonly string[]): NonNullable<Criterion["check"]> {
  return { argv: [...argv], folder: "", shell: false };
}

/** So many sandboxes are ended as soon as something runs in them. */
export function losing(backend: SandboxBackend, left: { losses: number }): SandboxBackend {
  return {
    kind: backend.kind,
    provision: (...given) => backend.provision(...given),
    destroy: (...given) => backend.destroy(...given),
    async attach(handle, epoch, signal) {
      const sandbox = await backend.attach(handle, epoch, signal);
      if (left.losses === 0) return sandbox;
      left.losses -= 1;
      return {
        id: sandbox.id,
        incarnation: sandbox.incarnation,
        prepare: (...given) => sandbox.prepare(...given),
        cancel: (...given) => sandbox.cancel(...given),
        detach: () => sandbox.detach(),
        async execute(...given) {
          const [reply] = await Promise.all([sandbox.execute(...given), backend.destroy(sandbox.id, handle)]);
          return reply;
        },
      };
    },
  };
}
