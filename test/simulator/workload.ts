/** What a seed's sessions are, what their model answers, and what people send them when. */

import type { Contract } from "../../src/core/contract/contract.ts";
import { ASK, HAND_OFF, isSessionTool, SESSION_TOOLS } from "../../src/core/contract/session-tools.ts";
import type { ClientEventInput, EventBody, EventInput } from "../../src/core/events/index.ts";
import { event } from "../../src/core/events/index.ts";
import { createRedactor } from "../../src/core/redact.ts";
import type { Redactor } from "../../src/core/seal.ts";
import type { ModelRequest } from "../../src/model/contract.ts";
import type { ScriptTurn } from "../../src/model/scripted.ts";
import { sessionTools } from "../../src/tool/builtin.ts";
import { builtinTools, type Tool } from "../../src/tool/index.ts";
import type { Aim } from "./aim.ts";
import { respond, SECRET, type Style } from "./answers.ts";
import { BASE, type Files } from "./checkouts.ts";
import {
  NOTHING_FOUND,
  planAmendment,
  planContract,
  planContractControl,
  type Standing,
  sealedAs,
} from "./contracts.ts";
import { planAttemptLimits, planNature, policyOf, QUIET } from "./nature.ts";
import type { Random } from "./random.ts";

/** What a person sends, and how long after the thing before. */
export interface PersonAction {
  readonly label: string;
  readonly afterMs: number;
  /** Or an answer to what is asked then, if anything is; or the wish for a branch of what is saved since the last verdict. */
  readonly events: readonly ClientEventInput[] | "answer" | "publish";
}

/** One session to be. */
export interface SessionPlan {
  readonly label: string;
  readonly config: EventBody<"session.created">;
  readonly contract: Contract | null;
  readonly first: readonly EventInput<ClientEventInput["type"] | "contract.sealed">[];
  readonly respond: (request: ModelRequest) => ScriptTurn;
}

/** Everything that people do in one simulation. */
export interface Workload {
  readonly sessions: readonly SessionPlan[];
  readonly actions: readonly PersonAction[];
  readonly harnesses: number;
  /** How long a harness that has died keeps others waiting. */
  readonly leaseTtlMs: number;
  /** On what all sessions use in a day; people raise it in the end. Null: none. */
  readonly dayCaps: { tokens: number } | null;
  /** Is anybody who is away told how sessions rest? */
  readonly isTold: boolean;
  /** Whether files meet a criterion; absent: chance decides, always the same way for the same files. */
  readonly isMet?: (criterion: string, files: Files) => boolean;
}

const LEASE_TTL_MS = 10_000;
/** How common a cap for the day is, in seeds that do not aim at more than it would let through. */
const DAY_CAP_CHANCE = 0.25;

/** An idempotent tool beside the real ones, which have none. */
const syncTool: Tool = {
  name: "sync",
  operation: "shell",
  description: { name: "sync", description: "Synchronises.", inputSchema: { type: "object" } },
  effectOf: () => "idempotent",
  check: () => undefined,
};

/** All tools of a simulation by name. */
export const TOOLS: ReadonlyMap<string, Tool> = new Map(
  [...builtinTools(), ...sessionTools(), syncTool].map((tool) => [tool.name, tool]),
);

const WORK_TOOLS: readonly string[] = [...TOOLS.keys()].filter((name) => !isSessionTool(name));

/** Takes {@link SECRET} out of everything that is stored. */
export const REDACTOR: Redactor = createRedactor({ secrets: [SECRET] });

/** How much people send. */
function lengthOf({ judges, talks, asks }: Aim): readonly [number, number] {
  if (judges) return [14, 22];
  if (asks) return [8, 14];
  return talks ? [10, 16] : [1, 6];
}

/** The workload of a seed. */
export function planWorkload(random: Random, aim: Aim): Workload {
  const count = random.chance(0.65) ? 1 : 2;
  const sessions = Array.from({ length: count }, (_, index) =>
    planSession(`s${index}`, random.fork(`s${index}`), aim),
  );
  const people = random.fork("people");
  const [least, most] = lengthOf(aim);
  const length = people.between(least, most);
  const labels = Array.from({ length }, () => people.pick(sessions).label);
  return {
    sessions,
    actions: labels.map((label) => {
      const plan = sessions.find((session) => session.label === label);
      const answers = plan?.config.agent.tools.includes(ASK) && people.chance(aim.asks ? 0.85 : 0.5);
      const action = planAction(people, label, aim, plan?.contract != null ? NOTHING_FOUND : null);
      const publishes = plan?.contract != null && people.chance(0.1);
      if (answers) return { ...action, events: "answer" as const };
      return publishes ? { ...action, events: "publish" as const } : action;
    }),
    harnesses: random.weighted({ "1": 2, "2": 5, "3": 2 }) === "1" ? 1 : random.between(2, 3),
    leaseTtlMs: LEASE_TTL_MS,
    dayCaps: planDay(random.fork("day"), aim),
    isTold: aim.tells || random.fork("told").chance(0.25),
  };
}

/** A seed that has spent its day does little of what it aims at. */
function planDay(random: Random, aim: Aim): Workload["dayCaps"] {
  const isFree = aim.judges || aim.asks || aim.works || aim.talks;
  return !isFree && random.chance(DAY_CAP_CHANCE) ? { tokens: random.between(1500, 25_000) } : null;
}

function planSession(label: string, random: Random, aim: Aim): SessionPlan {
  const chance = random.fork("files");
  const hasFiles = aim.judges || chance.chance(0.4);
  const agreed = random.fork("contract");
  const contract = hasFiles && (aim.judges || agreed.chance(0.4)) ? planContract(agreed) : null;
  const program = contract === null || aim.asks ? null : planProgram(random.fork("program"), aim);
  const nature = program === null ? planNature(random.fork("nature"), aim.asks) : QUIET;
  const style = { isLarge: random.chance(0.06), aim, isJudged: contract !== null, nature, answers: 0 };
  const files = hasFiles ? { checkpoint_calls: chance.pick([1, 2, 5]), checkpoint_ms: 10_000 } : null;
  return {
    label,
    config: withProgram(planConfig(label, random, style, files, contract), program),
    contract,
    first: [
      ...(contract === null ? [] : [sealedAs(contract)]),
      ...(random.chance(0.95) ? [message(`begin ${label}`)] : []),
    ],
    respond: (request) => respond(request, random, style),
  };
}

type Policy = EventBody<"session.created">["policy"];
type Program = NonNullable<EventBody<"session.created">["agent"]["command"]>;

/** How common programs are, among sessions with a contract. */
const PROGRAM_CHANCE = 0.15;
const PROGRAM_CHANCE_WHERE_JUDGED = 0.05;

/** Null: the session's agent is a model. */
function planProgram(random: Random, { judges }: Aim): Program | null {
  if (!random.chance(judges ? PROGRAM_CHANCE_WHERE_JUDGED : PROGRAM_CHANCE)) return null;
  return {
    ...{ argv: ["program"], prompt: "stdin" },
    wall_ms: random.pick([2000, 60_000]),
    quiet_ms: 600_000,
    fruitless_max: random.between(1, 3),
    ...(random.chance(0.7) && { gateway: { anthropic: { provider: "simulated" }, forced: true } }),
  };
}

function withProgram(
  config: EventBody<"session.created">,
  command: Program | null,
): EventBody<"session.created"> {
  if (command === null) return config;
  const agent = { ...config.agent, worker: "command" as const, command, system: "", tools: [] };
  return { ...config, agent };
}

function planConfig(
  label: string,
  random: Random,
  { aim, nature }: Style,
  files: Pick<Policy, "checkpoint_calls" | "checkpoint_ms"> | null,
  contract: Contract | null,
): EventBody<"session.created"> {
  const isPriced = random.chance(0.3);
  const hasTools = aim.works || aim.talks || random.chance(0.93);
  const model = {
    ...{ provider: "scripted", id: label, max_output_tokens: 500 },
    ...(isPriced && {
      price: { input: 3_000_000, output: 15_000_000, cache_read: 300_000, cache_write: 3_750_000 },
    }),
  };
  const tools = [
    ...(hasTools ? WORK_TOOLS : []),
    ...(contract === null ? [] : SESSION_TOOLS),
    ...(nature.asks ? [ASK] : []),
    ...(nature.context === null ? [] : [HAND_OFF]),
  ];
  return {
    metadata: { label },
    agent: {
      ...{ name: "agent", worker: "loop", model, system: "You work.", tools },
      ...(nature.onLimit === "fallback" && { fallback: { ...model, id: `${label}-stands-in` } }),
    },
    sandbox: {
      backend: "simulated",
      workspace: `/w/${label}`,
      options: {},
      ...(files !== null && { checkout: { base: BASE, branch: label } }),
    },
    // A session that has reached a cap does little of what its seed aims at.
    limits:
      aim.judges || aim.asks || ((aim.works || aim.talks) && random.chance(0.8))
        ? {}
        : planLimits(random, isPriced),
    policy: {
      steering: random.weighted({ enqueue: 5, interrupt: 3, reject: 2 }),
      idle_timeout_ms: random.pick([3000, 10_000, 60_000]),
      sandbox_grace_ms: aim.graceMs ?? random.pick([0, 500, 20_000]),
      tool_wall_ms: random.pick([2000, 20_000, 60_000]),
      model_failures_max: random.between(2, 8),
      ...files,
      ...(random.chance(0.3) && { approval_ms: random.between(1000, 600_000) }),
      no_contact_ms: (aim.graceMs ?? 0) > 0 ? 120_000 : random.pick([5000, 30_000, 120_000]),
      ...policyOf(nature, random.fork("policy"), aim.asks),
    },
  };
}

function planLimits(random: Random, isPriced: boolean): EventBody<"session.created">["limits"] {
  return {
    ...(random.chance(0.15) && { model_requests: random.between(1, 8) }),
    ...(random.chance(0.15) && { tokens: random.between(500, 12_000) }),
    ...(isPriced && random.chance(0.4) && { cost_micro_usd: random.between(10_000, 200_000) }),
    ...(random.chance(0.3) && planAttemptLimits(random)),
  };
}

/** A message of a person. */
export function message(text: string, steering?: "enqueue" | "interrupt" | "reject"): ClientEventInput {
  return event("user.message", { content: [{ type: "text", text }], ...(steering && { steering }) });
}

function planAction(random: Random, label: string, aim: Aim, standing: Standing | null): PersonAction {
  if (standing !== null && aim.judges && random.chance(0.7)) {
    const input =
      aim.amends && random.chance(0.7) ? planAmendment(random) : planContractControl(random, standing);
    return { label, afterMs: random.between(0, 30_000), events: [input] };
  }
  // A person who pauses or ends a session keeps it from what its seed aims at.
  const chanceOfMessage = aim.works || aim.talks || aim.judges || aim.asks ? 0.93 : 0;
  const input = random.chance(chanceOfMessage)
    ? message(`more ${random.text(4)}`)
    : planControl(random, null, standing);
  return { label, afterMs: random.between(0, 20_000), events: [input] };
}

/** Something that a person may do. @param call - a call that waits for a person, if any */
export function planControl(
  random: Random,
  call: string | null,
  standing: Standing | null,
): ClientEventInput {
  if (standing !== null && random.chance(0.4)) return planContractControl(random, standing);
  if (call !== null && random.chance(0.6)) {
    const result = random.chance(0.5) ? "allow" : "deny";
    return event("user.tool_confirmation", { call, result });
  }
  const kinds = {
    message: 5,
    interrupt: 3,
    pause: 2,
    resume: 3,
    stop: 2,
    cancel: 0.25,
    limits: 0.7,
    checkpoint: 0.7,
    rewind: 0.4,
  };
  switch (random.weighted(kinds)) {
    case "message":
      return message(
        `note ${random.text(5)} ${random.chance(0.05) ? SECRET : ""}`,
        random.pick([undefined, "interrupt"]),
      );
    case "interrupt":
      return event("user.interrupt", {});
    case "pause":
      return event("control.pause", {});
    case "resume":
      return event("control.resume", {});
    case "stop":
      return event("control.stop", { reason: "enough" });
    case "cancel":
      return event("control.cancel", {});
    case "checkpoint":
      return event("control.checkpoint", {});
    case "rewind":
      return event("control.rewind", { checkpoint: 0, commit: BASE });
    case "limits":
      return event("control.set_limits", { limits: planLimits(random, false) });
  }
}
