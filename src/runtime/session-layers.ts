/**
 * Which layer the commands of a session find: that of the files it began with, or, where the policy or a person allows
 * it, the one that the files of a checkpoint ask for. What the agent has changed is read from the checkpoint, never
 * from where it can still change it.
 */
import { hash } from "node:crypto";
import { assert, isNightshiftError, type NightshiftError } from "../core/errors.ts";
import { type EventBody, type EventInput, event } from "../core/events/index.ts";
import { isSetUpFile } from "../core/set-up-files.ts";
import type { SandboxState, SessionState } from "../core/state.ts";
import { type DependencyPolicy, decideLayer, type LayerChange } from "../environment/index.ts";
import type { Files, OpenWorkspaces } from "./checkouts.ts";
import { type EnvironmentParts, layerPlanOf, type Surroundings, surroundingsOf } from "./environments.ts";
import { decisionsAfter } from "./way-out.ts";

/** The layers of one session. */
export interface SessionLayers {
  /**
   * What the sandbox is to be made with. When the layer of changed files cannot be had it goes without, and the facts
   * say so. @throws NightshiftError `E_TOOLCHAIN_MISSING`, `E_LAYER_FAILED`, `E_SOURCE_REFUSED`, `E_CONFIG`
   */
  surroundings(request: SurroundingsRequest): Promise<Surroundings & { readonly facts: EventInput[] }>;
  /** What the files of a new checkpoint ask for, if that is news. */
  examine(state: SessionState, commit: string, signal: AbortSignal): Promise<EventInput[]>;
  /** What the set-ups reached, or were kept from, as far as the log does not know it yet. */
  news(state: SessionState): EventInput[];
}

/** For one sandbox. */
export interface SurroundingsRequest {
  readonly state: SessionState;
  readonly sandbox: SandboxState;
  /** Those that it begins with. */
  readonly files: Files;
  readonly signal: AbortSignal;
}

/** What the layers of a session are made of. */
export interface SessionLayerParts extends EnvironmentParts {
  readonly policy: DependencyPolicy;
  readonly workspaces: OpenWorkspaces;
}

/** Layers that cannot be made from these files, whoever tries. */
const UNFIT: readonly string[] = ["E_LAYER_FAILED", "E_SOURCE_REFUSED", "E_TOOLCHAIN_MISSING", "E_CONFIG"];
const FILES_MAX = 100;
const REASON_LENGTH_MAX = 2000;
const NAMED_FILES_MAX = 5;
const AS_BEFORE = "Commands find those that the session began with";

/** Makes nothing yet. */
export function createSessionLayers(parts: SessionLayerParts): SessionLayers {
  return new LayersOfSession(parts);
}

type Decision = EventBody<"environment.decided">;

class LayersOfSession implements SessionLayers {
  readonly #parts: SessionLayerParts;

  constructor(parts: SessionLayerParts) {
    this.#parts = parts;
  }

  async surroundings(request: SurroundingsRequest): ReturnType<SessionLayers["surroundings"]> {
    const { state, sandbox, signal } = request;
    const layer = sandbox.environment;
    if (layer === null) return { ...(await this.#ofBase(request)), facts: [] };
    try {
      const make = (folder: string): Promise<Surroundings> => surroundingsOf(this.#parts, folder, signal);
      return { ...(await this.#withFiles(state, layer.commit, signal, make)), facts: [] };
    } catch (error) {
      if (!isUnfit(error)) throw error;
      const text = `The changed dependencies cannot be installed: ${shortened(error.message)}\n${AS_BEFORE}.`;
      return {
        ...(await this.#ofBase(request)),
        facts: [decided({ ...layer, decision: "failed", files: [] }, text)],
      };
    }
  }

  /** The files that the session began with, where nobody can have changed them. */
  #ofBase({ state, files, signal }: SurroundingsRequest): Promise<Surroundings> {
    const make = (folder: string): Promise<Surroundings> => surroundingsOf(this.#parts, folder, signal);
    if (state.workspace === null) return make(files.workspace);
    const pristine = files.overlay?.lower.at(-1);
    return pristine === undefined ? this.#withFiles(state, baseOf(state), signal, make) : make(pristine);
  }

  async examine(state: SessionState, commit: string, signal: AbortSignal): Promise<EventInput[]> {
    const { environment } = state;
    try {
      const news = await this.#look(state, commit, signal);
      if (news === null) {
        if (environment === null) return [];
        const { key } = environment;
        const text = "The dependencies are those that the session began with again.";
        return [decided({ key, commit, decision: "base", files: [] }, text)];
      }
      return news.about.key === environment?.key ? [] : [decided(news.about, news.text)];
    } catch (error) {
      if (!isUnfit(error)) throw error;
      const key = hash("sha256", error.message, "hex");
      if (key === environment?.key) return [];
      const decision = error.code === "E_SOURCE_REFUSED" ? "refused" : "failed";
      const text = `The changed dependencies are refused: ${shortened(error.message)}\n${AS_BEFORE}.`;
      return [decided({ key, commit, decision, files: [] }, text)];
    }
  }

  news(state: SessionState): EventInput[] {
    return decisionsAfter(this.#parts.egressFolder, state.setUpEgress, "set_up");
  }

  /** Null when the files ask for the layer of the base. */
  async #look(
    state: SessionState,
    commit: string,
    signal: AbortSignal,
  ): Promise<{ readonly about: Omit<Decision, "content">; readonly text: string } | null> {
    const from = baseOf(state);
    const workspaces = await this.#parts.workspaces();
    const changed = await workspaces.changedFiles(state.sessionId, { from, to: commit }, signal);
    if (!changed.some(({ path }) => isSetUpFile(path))) return null;
    const plan = (folder: string): ReturnType<typeof layerPlanOf> => layerPlanOf(this.#parts, folder, signal);
    const base = await this.#withFiles(state, from, signal, plan);
    const candidate = await this.#withFiles(state, commit, signal, plan);
    const { policy } = this.#parts;
    const decision = decideLayer({ base, candidate, policy, allowed: new Set() });
    if (decision.status === "same" || decision.status === "none") return null;
    const { status, changes } = decision;
    const about = { key: decision.plan.key, commit, decision: status, files: changes.slice(0, FILES_MAX) };
    return { about, text: textOf(status, changes) };
  }

  async #withFiles<Answer>(
    { sessionId }: SessionState,
    commit: string,
    signal: AbortSignal,
    use: (folder: string) => Promise<Answer>,
  ): Promise<Answer> {
    const workspaces = await this.#parts.workspaces();
    return workspaces.lend(sessionId, commit, use, signal);
  }
}

function baseOf({ config }: SessionState): string {
  const base = config?.sandbox.checkout?.base;
  assert(base !== undefined, "a session with a workspace began with a commit");
  return base;
}

function isUnfit(error: unknown): error is NightshiftError {
  return isNightshiftError(error) && UNFIT.includes(error.code) && !error.retryable;
}

function decided(about: Omit<Decision, "content">, text: string): EventInput {
  return event("environment.decided", { ...about, content: [{ type: "text", text: `[harness] ${text}` }] });
}

function textOf(status: "make" | "ask" | "deny", changes: readonly LayerChange[]): string {
  const names = changes.slice(0, NAMED_FILES_MAX).map(({ path }) => path);
  const more = changes.length > names.length ? `, and ${changes.length - names.length} more` : "";
  const what = `The dependencies have changed${names.length === 0 ? "" : ` (${names.join(", ")}${more})`}.`;
  switch (status) {
    case "make":
      return `${what} From the next command on they are installed, in a new sandbox with the same files.`;
    case "ask":
      return `${what} A person has to allow that. ${AS_BEFORE} until then; do what can be done without the new ones.`;
    case "deny":
      return `${what} That is not allowed here. ${AS_BEFORE}; take the change back, or do without it.`;
  }
}

function shortened(message: string): string {
  return message.length > REASON_LENGTH_MAX ? `${message.slice(0, REASON_LENGTH_MAX)}…` : message;
}
