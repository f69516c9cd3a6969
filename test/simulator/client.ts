/** The people: a client process that makes sessions and sends events, and tries again as people do. */
// Loaded when it is first needed, which takes real time: no seed may depend on whether it was.
import "../../src/core/contract/lint.ts";
import { isNightshiftError } from "../../src/core/errors.ts";
import { type ClientEventInput, event } from "../../src/core/events/index.ts";
import type { SessionId } from "../../src/core/ids.ts";
import { openQuestions } from "../../src/core/rules/people.ts";
import { seal } from "../../src/core/seal.ts";
import { type ClientParts, createSession, sendEvents } from "../../src/runtime/client.ts";
import { MORE } from "./answers.ts";
import { answerTo } from "./contracts.ts";
import type { Process } from "./process.ts";
import { type Random, seededChance } from "./random.ts";
import type { Scene } from "./scene.ts";
import type { SimulatedStore } from "./store.ts";
import { message, REDACTOR, type Workload } from "./workload.ts";

const TRIES = 4;
/** Without a session there is nothing to see. */
const CREATE_TRIES = 12;
const TRY_AGAIN_MS = 1500;
/** How often a person looks whether anything is asked. */
const LOOKS_MAX = 4;
const LOOK_AGAIN_MS = 2500;
/** Files are newer than their verdict for no longer than the next one takes: who wants a branch of them looks closely. */
const WATCH = { looks: 300, everyMs: 40 } as const;

/** What people have to live with. */
const EXPECTED_CODES: ReadonlySet<string> = new Set([
  "E_STORE_BUSY",
  "E_STORE_IO",
  "E_STORE_FULL",
  "E_SESSION_TERMINATED",
  "E_SESSION_BUSY",
  // Somebody else was faster, or its time was over.
  "E_QUESTION_CLOSED",
]);

/** How far the people have come; outlives their client. */
export interface Progress {
  sessions: number;
  actions: number;
}

/** One client process. */
export class Client {
  readonly process: Process;
  readonly #scene: Scene;
  readonly #parts: ClientParts;
  readonly #random: Random;

  constructor(scene: Scene, process: Process, store: SimulatedStore, random: Random) {
    this.process = process;
    this.#scene = scene;
    this.#random = random;
    this.#parts = {
      store,
      clock: process.clock,
      chance: seededChance(random.fork("ids")),
      redactor: REDACTOR,
    };
  }

  /** Does what is left of the workload. */
  async run(workload: Workload, progress: Progress): Promise<void> {
    for (const plan of workload.sessions.slice(progress.sessions)) {
      // A client that died may have made it, or not: a person looks, and wants it all the same.
      if (this.#scene.sessionOf(plan.label) === null)
        await this.#try(() => createSession(this.#parts, plan.config, plan.first), CREATE_TRIES);
      progress.sessions += 1;
    }
    while (progress.actions < workload.actions.length) {
      const action = workload.actions[progress.actions++];
      if (action === undefined) return;
      await this.process.pause(action.afterMs);
      const session = this.#scene.sessionOf(action.label);
      if (session === null) continue;
      const { events } = action;
      if (events === "answer") await this.#answer(session);
      else if (events === "publish") await this.#publish(session);
      else await this.#try(() => sendEvents(this.#parts, session, events));
    }
  }

  /**
   * Sends at this very instant, past all seams: so a message can come between any two awaits of anybody.
   * @returns whether there was a store to send to
   */
  sendNow(session: SessionId, events: readonly ClientEventInput[]): boolean {
    const { machine, scheduler, trace } = this.#scene;
    const store = machine.openNow(this.process);
    if (store === null) return false;
    const sealed = events.map((input) => seal(input, REDACTOR));
    const batch = { appendId: this.#random.text(16), at: scheduler.wallMs(), events: sealed };
    const stored = store.submit(session, batch);
    this.#scene.onCommit(session, { process: this.process, epoch: null });
    stored.then(
      ({ firstSeq }) => this.#scene.onAcknowledged(session, firstSeq, sealed),
      // The code only: a message may name the folder, which differs from run to run.
      (error: unknown) =>
        trace.note(this.process.name, "failed", isNightshiftError(error) ? error.code : String(error)),
    );
    return true;
  }

  /** Looks for a question for a while, and answers it; some do so twice, and the second time otherwise. */
  async #answer(session: SessionId): Promise<void> {
    const random = this.#random;
    for (let look = 0; look < LOOKS_MAX; look++) {
      const [question] = openQuestions(this.#scene.log(session).state);
      if (question !== undefined) {
        const times = random.chance(0.25) ? 2 : 1;
        for (let time = 0; time < times; time++)
          await this.#try(() => sendEvents(this.#parts, session, [answerTo(random, question.question)]));
        return;
      }
      await this.process.pause(LOOK_AGAIN_MS);
    }
  }

  /** Wants more than was verified, and a branch of what has come of it before the next verdict. */
  async #publish(session: SessionId): Promise<void> {
    let hasSpoken = false;
    for (let look = 0; look < WATCH.looks; look++) {
      const { contract, workspace } = this.#scene.log(session).state;
      const given = contract?.given;
      if (given?.outcome === "met" && given.commit !== workspace?.saved.commit)
        return this.#try(() => sendEvents(this.#parts, session, [event("control.publish", {})]));
      if (given?.outcome === "met" && !hasSpoken) {
        hasSpoken = true;
        await this.#try(() => sendEvents(this.#parts, session, [message(MORE)]));
      }
      await this.process.pause(WATCH.everyMs);
    }
  }

  async #try(send: () => Promise<unknown>, triesMax = TRIES): Promise<void> {
    for (let tries = 1; tries <= triesMax; tries++) {
      try {
        await send();
        return;
      } catch (error) {
        if (!isNightshiftError(error)) throw error;
        this.#scene.trace.note(this.process.name, "refused", error.code);
        if (!EXPECTED_CODES.has(error.code))
          this.#scene.judge.complain("a-refusal-names-its-reason", `${error.code} ${error.message}`);
        if (!error.retryable) return;
        await this.process.pause(TRY_AGAIN_MS);
      }
    }
  }
}
