/** What the model of a simulated session answers. */
import { ASK, DECLARE, HAND_OFF, REQUEST_VERDICT } from "../../src/core/contract/session-tools.ts";
import type { Json } from "../../src/core/text.ts";
import type { ModelRequest } from "../../src/model/contract.ts";
import type { ScriptFault, ScriptTurn } from "../../src/model/scripted.ts";
import type { Aim } from "./aim.ts";
import { planDeclaration } from "./contracts.ts";
import { type Nature, planNote, planQuestion, planRateLimit } from "./nature.ts";
import type { Random } from "./random.ts";

/** Must never be stored, whoever says it. */
export const SECRET = "correct-horse-battery-staple";

/** More than any story needs: an agent that is begun again and again from the same context would go on for ever. */
const ANSWERS_MAX = 250;

/** What a person says who wants work to go on, however much was done. */
export const MORE = "and now more";

/** How a session's answers are made. */
export interface Style {
  readonly isLarge: boolean;
  readonly aim: Aim;
  readonly isJudged: boolean;
  readonly nature: Nature;
  /** So many were made, in all contexts together. */
  answers: number;
}

/** The model's answer: it depends on the seed and on how many answers there were before, nothing else. */
export function respond(request: ModelRequest, random: Random, style: Style): ScriptTurn {
  style.answers += 1;
  const said = request.messages.filter(({ role }) => role === "assistant").length;
  // Where contexts are replaced, only the count of all answers tells how far it is.
  const turnIndex = style.nature.context === null ? said : style.answers;
  const chance = random.fork(`turn ${turnIndex}`);
  const last = request.messages.at(-1);
  const isLast = last?.role === "user" && last.text.startsWith("[harness] Your context is about to");
  if (isLast && chance.chance(0.7))
    return { text: "so be it", tools: [{ name: HAND_OFF, input: planNote(chance) }] };
  const isMoreWanted = request.messages
    .slice(request.messages.findLastIndex(({ role }) => role === "assistant") + 1)
    .some((message) => message.role === "user" && message.text === MORE);
  const isTired = style.answers > ANSWERS_MAX;
  const chanceNow = isMoreWanted ? 1 : isTired ? 0 : chanceOfTools(style.aim, turnIndex);
  const wantsTools = request.tools.length > 0 && chance.chance(chanceNow);
  const count = wantsTools ? (chance.chance(0.65) ? 1 : chance.between(2, 4)) : 0;
  const inputTokens = Math.ceil(JSON.stringify(request.messages).length / 4);
  return {
    ...(chance.chance(0.2) && { thinking: `thought ${turnIndex}` }),
    text: `answer ${turnIndex} ${chance.chance(0.03) ? SECRET : ""}`,
    ...(count > 0 && {
      tools: Array.from({ length: count }, () =>
        isMoreWanted ? planWrite(chance) : planTool(chance, style),
      ),
    }),
    usage: chance.chance(0.1) ? null : { input_tokens: inputTokens, output_tokens: 50 },
    ...(chance.chance(0.03) && { stop: chance.pick(["max_tokens", "refusal", "other"]) }),
    ...(chance.chance(0.5) && { delay_ms: chance.between(10, 2500) }),
    ...(chance.chance(0.2) && {
      fail: Array.from({ length: chance.between(1, 3) }, () =>
        style.nature.onLimit !== null && chance.chance(0.6) ? planRateLimit(chance) : planFailure(chance),
      ),
    }),
  };
}

/** Answers come to an end sooner or later, whatever a seed aims at. */
function chanceOfTools({ works, asks, graceMs }: Aim, turnIndex: number): number {
  if ((works && turnIndex < 25) || (asks && turnIndex < 15)) return 0.95;
  return graceMs !== null ? 0.65 : Math.max(0, 0.85 - turnIndex * 0.1);
}

function planFailure(random: Random): ScriptFault {
  const after_chunks = random.between(0, 2);
  switch (
    random.weighted({ status: 4, reset: 1, cut: 2, no_finish: 1, silence: 1, garbage: 1, error_event: 1 })
  ) {
    case "status":
      return {
        kind: "status",
        status: random.pick([429, 500, 503, 529, 529, 400, 401]),
        ...(random.chance(0.3) && { headers: { "retry-after": String(random.between(1, 40)) } }),
      };
    case "reset":
      return { kind: "reset" };
    case "cut":
      return { kind: "cut", after_chunks };
    case "no_finish":
      return { kind: "no_finish", after_chunks };
    case "silence":
      return { kind: "silence", after_chunks };
    case "garbage":
      return { kind: "garbage", after_chunks };
    case "error_event":
      return { kind: "error_event", after_chunks, error_type: "overloaded_error" };
  }
}

function planWrite(random: Random): { name: string; input: Json } {
  const file_path = `f${random.between(0, 2)}`;
  return { name: "write", input: { file_path, content: `a${random.between(0, 3)} ${random.text(4)}` } };
}

function planTool(random: Random, style: Style): { name: string; input?: Json } {
  const file_path = `f${random.between(0, 2)}`;
  const write = style.aim.writes ? 40 : style.aim.judges ? 20 : 5;
  const bash = style.aim.stops ? 40 : 7;
  const work = { bash, push: 2, sync: 2, read: 2, grep: 1, write, edit: 3, invalid: 0.7, unknown: 0.3 };
  const talk = {
    verdict: style.isJudged ? 1.5 : 0,
    declare: style.isJudged ? 0.5 : 0,
    ask: style.nature.asks ? (style.aim.asks ? 20 : 5) : 0,
    handOff: style.nature.context === null ? 0 : 1,
  };
  switch (random.weighted({ ...work, ...talk })) {
    case "bash":
      return { name: "bash", input: { command: `step ${commandOptions(random, style)}` } };
    case "push":
      return { name: "bash", input: { command: `git push origin ${commandOptions(random, style)}` } };
    case "sync":
      return { name: "sync", input: { command: `sync ${commandOptions(random, style)}` } };
    case "read":
      return { name: "read", input: { file_path } };
    case "grep":
      return { name: "grep", input: { pattern: "a" } };
    case "write":
      return planWrite(random);
    case "edit":
      return { name: "edit", input: { file_path, old_string: "a", new_string: `b${random.text(3)}a` } };
    case "invalid":
      return { name: "read", input: { path: 7 } };
    case "unknown":
      return { name: "teleport", input: {} };
    case "verdict":
      return { name: REQUEST_VERDICT, input: {} };
    case "declare":
      return { name: DECLARE, input: planDeclaration(random) };
    case "ask":
      return { name: ASK, input: planQuestion(random) };
    case "handOff":
      return { name: HAND_OFF, input: planNote(random) };
  }
}

function commandOptions(random: Random, { isLarge, aim }: Style): string {
  const durationMs = random.weighted({
    short: aim.stops ? 0.5 : 6,
    medium: aim.stops ? 0 : 3,
    long: aim.stops ? 8 : 1,
  });
  const ms =
    durationMs === "short"
      ? random.between(1, 300)
      : random.between(durationMs === "medium" ? 300 : 5000, durationMs === "medium" ? 5000 : 45_000);
  const options = [`--ms ${ms}`, `--effect ${random.between(0, ms)}`];
  if (random.chance(0.15)) options.push("--exit 1");
  if (random.chance(0.15)) options.push(`--file f${random.between(0, 2)}`);
  if (random.chance(0.04)) options.push(`--print ${SECRET}`);
  if (isLarge) options.push("--out 9000");
  return options.join(" ");
}
