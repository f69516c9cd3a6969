/** What the referee of a session works with, put together. */
import { join } from "node:path";
import type { Chance, Clock } from "../core/clock.ts";
import type { SessionId } from "../core/ids.ts";
import type { Layer } from "../core/state.ts";
import type { ModelAdapter } from "../model/contract.ts";
import type { JudgeSeam, RefereeParts } from "../referee/parts.ts";
import type { SandboxBackend } from "../sandbox/contract.ts";
import type { Workspaces } from "../workspace/contract.ts";
import type { EnvironmentParts } from "./environments.ts";
import { findHeldOut } from "./held-out.ts";
import type { ModelConfig } from "./providers.ts";

/** What is known of the session and of this machine. */
export interface RefereeSource {
  readonly sessionId: SessionId;
  readonly backend: SandboxBackend;
  readonly isIsolated: boolean;
  readonly workspaces: Workspaces;
  /** Of the commands that need more than the files; undefined for none. */
  readonly environment: EnvironmentParts | undefined;
  /** Grade rubrics, in the order in which they are asked. */
  readonly judges: readonly { readonly model: ModelConfig; readonly adapter: () => Promise<ModelAdapter> }[];
  readonly clock: Clock;
  readonly chance: Chance;
  /** Absolute. */
  readonly stateFolder: string;
}

/**
 * Loads what a referee needs, when the first check is to run.
 * @param layer - the one that changed files ask for and may have; null for that of the base
 */
export async function openRefereeParts(source: RefereeSource, layer: Layer | null): Promise<RefereeParts> {
  const { createRunners, ratchet, refereeTrees } = await import("../referee/index.ts");
  const { backend, isIsolated, workspaces, environment, clock, chance, stateFolder } = source;
  const heldOut = join(stateFolder, "held-out");
  return {
    backend,
    isIsolated,
    trees: refereeTrees(workspaces),
    runners: createRunners(),
    ratchet,
    surroundings: environment === undefined ? null : await surroundingsWith(environment, source, layer),
    judge: judgeOf(source),
    clock,
    chance,
    scratch: join(stateFolder, "referee"),
    heldOut: (digest) => findHeldOut(digest, heldOut),
  };
}

/** A layer of changed files is made from exactly the commit that it was allowed for. */
async function surroundingsWith(
  environment: EnvironmentParts,
  { workspaces, sessionId }: RefereeSource,
  layer: Layer | null,
): Promise<NonNullable<RefereeParts["surroundings"]>> {
  const { surroundingsOf } = await import("./environments.ts");
  if (layer === null) return (folder, signal) => surroundingsOf(environment, folder, signal);
  return (_base, signal) =>
    workspaces.lend(sessionId, layer.commit, (folder) => surroundingsOf(environment, folder, signal), signal);
}

/** Made when the first rubric is to be graded. */
function judgeOf({ judges, clock, chance }: RefereeSource): JudgeSeam {
  return {
    async grade(request, signal) {
      const { createJudge, createPanel, JUDGE_LIMITS } = await import("../judge/index.ts");
      const panel = judges.map(({ model, adapter }) => ({
        grade: async (...asked: Parameters<JudgeSeam["grade"]>) => {
          const parts = { adapter: await adapter(), model, limits: JUDGE_LIMITS, clock, chance };
          return await createJudge(parts).grade(...asked);
        },
      }));
      return await createPanel(panel).grade(request, signal);
    },
  };
}
