/** The agent of a simulated day: it works on one criterion after the other, claims too early, asks, and meets limits. */
import { ASK, HAND_OFF, REQUEST_VERDICT } from "../../../src/core/contract/session-tools.ts";
import type { Json } from "../../../src/core/text.ts";
import type { ModelRequest } from "../../../src/model/contract.ts";
import type { ScriptFault, ScriptTurn } from "../../../src/model/scripted.ts";

/** What a criterion asks for: a file of its name with this in it. */
export const DONE = "done";

/** Answers that one criterion takes. */
const STEPS = 138;
/** Where it says that it is done, and is not. */
const CLAIMS_AT: readonly number[] = [55, 110];
const QUESTION_AT = 30;
/** Criteria over which it has to ask. */
const ASKS_ABOUT: ReadonlySet<string> = new Set(["c1", "c4", "c6", "c9", "c11", "c13"]);

const RATE_LIMITS_AT: readonly number[] = [260, 700, 1010, 1330, 1720];
const OUTAGES_AT: readonly number[] = [480, 1500];
/** Requests that fail in one outage. */
const OUTAGE_REQUESTS = 12;

/** What the provider says that an answer has used; its own account, apart from the harness's. */
export interface Told {
  readonly input_tokens: number;
  readonly output_tokens: number;
}

/** Plays the agent. What it says depends on how often it was asked, about what, and on nothing else. */
export class DayAgent {
  /** By the request that was answered so. */
  readonly told = new Map<ModelRequest, Told>();
  readonly #steps = new Map<string, number>();
  #answers = 0;
  #outageLeft = 0;

  /** Answers and refusals so far. */
  get answers(): number {
    return this.#answers;
  }

  respond(request: ModelRequest): ScriptTurn {
    this.#answers += 1;
    const fault = this.#faultNow();
    if (fault !== null) return { fail_always: fault };
    const turn = this.#turn(request);
    const usage = {
      input_tokens: Math.ceil(JSON.stringify(request.messages).length / 4),
      output_tokens: 40 + (this.#answers % 90),
    };
    this.told.set(request, usage);
    return { ...turn, usage, delay_ms: 2500 + (this.#answers % 17) * 500 };
  }

  #faultNow(): ScriptFault | null {
    if (this.#outageLeft > 0) {
      this.#outageLeft -= 1;
      return { kind: "status", status: 529 };
    }
    if (OUTAGES_AT.includes(this.#answers)) this.#outageLeft = OUTAGE_REQUESTS;
    const limit = RATE_LIMITS_AT.indexOf(this.#answers);
    if (limit === -1) return null;
    return { kind: "status", status: 429, headers: { "retry-after": String(900 + limit * 600) } };
  }

  #turn(request: ModelRequest): ScriptTurn {
    const last = request.messages.at(-1);
    const criterion = criterionOf(request);
    const step = (this.#steps.get(criterion) ?? 0) + 1;
    if (last?.role === "user" && last.text.startsWith("[harness] Your context is about to"))
      return { text: "I say where I stand.", tools: [{ name: HAND_OFF, input: noteAt(criterion, step) }] };
    this.#steps.set(criterion, step);
    if (step >= STEPS) return finishing(criterion, step);
    if (CLAIMS_AT.includes(step))
      return { text: `All tests pass, ${criterion} is done.`, tools: [{ name: REQUEST_VERDICT }] };
    if (step === QUESTION_AT && ASKS_ABOUT.has(criterion)) return question(criterion);
    return work(criterion, step);
  }
}

/** What its attempt is about, as the harness told it at the beginning of the context. */
function criterionOf({ messages }: ModelRequest): string {
  for (const message of messages) {
    const found = message.role === "user" ? /Work on `(c\d+)` now/.exec(message.text)?.[1] : undefined;
    if (found !== undefined) return found;
  }
  return "none";
}

/** What a sandbox lost may take with it is written again until a verdict has seen it. */
function finishing(criterion: string, step: number): ScriptTurn {
  if (step % 2 === 1) return { text: "I ask for a verdict.", tools: [{ name: REQUEST_VERDICT }] };
  const input = { file_path: criterion, content: DONE };
  return { text: `I finish ${criterion}.`, tools: [{ name: "write", input }] };
}

function question(criterion: string): ScriptTurn {
  const input = {
    text: `Which way is ${criterion} meant?`,
    choices: ["as it is", "anew"],
    // One of them is answered by nobody.
    ...(criterion === "c6" && { default: "as it is", expires_in: 3600 }),
  };
  return { text: "I am not sure.", tools: [{ name: ASK, input }] };
}

function work(criterion: string, step: number): ScriptTurn {
  const text = `I look into ${criterion}, step ${step}: ${"the next thing to see is how it behaves. ".repeat(4)}`;
  switch (step % 4) {
    case 0:
      return { text, tools: [{ name: "read", input: { file_path: "f0" } }] };
    case 1: {
      const content = `draft ${step} of ${criterion}\n${"one more line of it\n".repeat(20)}`;
      return { text, tools: [{ name: "write", input: { file_path: `${criterion}-draft`, content } }] };
    }
    default: {
      const command = `step ${criterion} ${step} --ms ${3000 + (step % 7) * 1000} --effect 1000`;
      return { text, tools: [{ name: "bash", input: { command } }] };
    }
  }
}

function noteAt(criterion: string, step: number): Json {
  return {
    next_step: `Go on with step ${step} of ${criterion}.`,
    decisions: [`${criterion}: keep it small (decided at step ${step})`],
    tried_and_failed: [
      {
        approach: `way ${step % 9} to ${criterion}`,
        reason: "it breaks what is met",
        files: [`${criterion}-draft`],
      },
    ],
    unmet: [criterion],
    notes: "",
  };
}
