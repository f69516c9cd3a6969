/** What faults do to a world. */
import { type ClientEventInput, event } from "../../src/core/events/index.ts";
import type { SessionId } from "../../src/core/ids.ts";
import { answerTo } from "./contracts.ts";
import type { DiskFault } from "./disk.ts";
import type { FaultActions } from "./faults.ts";
import type { Process } from "./process.ts";
import type { Random } from "./random.ts";
import { sessionOf } from "./sandbox.ts";
import type { Crowd, Scene } from "./scene.ts";
import { message, planControl } from "./workload.ts";

const HARNESSES_MAX = 4;
/** Longer than any lease. */
const STOPPED_MS: readonly [number, number] = [11_000, 45_000];

/** Carries out what the injector decides. */
export class WorldActions implements FaultActions {
  readonly #scene: Scene;
  readonly #crowd: Crowd;
  readonly #random: Random;
  #promised = 0;

  constructor(scene: Scene, crowd: Crowd, random: Random) {
    this.#scene = scene;
    this.#crowd = crowd;
    this.#random = random;
  }

  /** Is anybody still going to send something? */
  get isExpected(): boolean {
    return this.#promised > 0;
  }

  anySession(): SessionId | null {
    const sessions = [...this.#scene.logs.keys()].filter((session) => this.#exists(session));
    return sessions.length === 0 ? null : this.#random.pick(sessions);
  }

  crash(process: Process): boolean {
    if (!process.isRunning) return false;
    this.#crowd.crash(process);
    // Half of the time the others keep their handles, as when only one process is killed.
    if (this.#random.chance(0.5) || this.#crowd.living().length === 0) this.#scene.machine.copyFiles();
    return true;
  }

  stop(process: Process): boolean {
    const crowd = this.#crowd;
    if (!process.isRunning) return false;
    if (crowd.running().length < 2 && crowd.living().length < HARNESSES_MAX) crowd.startHarness();
    process.stopFor(this.#random.between(...STOPPED_MS));
    return true;
  }

  compete(process: Process, session: SessionId): boolean {
    const crowd = this.#crowd;
    if (!this.#exists(session)) return false;
    const others = crowd.running().filter((other) => other.process !== process);
    if (others.length > 0) crowd.wakeWith(this.#random.pick(others), session);
    else if (crowd.living().length < HARNESSES_MAX) crowd.startHarness();
    else return false;
    return true;
  }

  message(session: SessionId): boolean {
    if (!this.#exists(session) || this.#scene.log(session).state.phase === "terminated") return false;
    const steering = this.#random.pick([undefined, undefined, "enqueue", "interrupt", "reject"] as const);
    return this.#send(session, message(`now ${this.#random.text(4)}`, steering));
  }

  control(session: SessionId): boolean {
    const { state } = this.#scene.log(session);
    if (!this.#exists(session) || state.phase === "terminated") return false;
    const answer = this.#answer(session);
    if (answer !== null) return this.#send(session, answer);
    const open = state.calls.find((call) => call.status === "in_doubt");
    return this.#send(session, planControl(this.#random, open?.call ?? null, state.contract));
  }

  /** To what is asked, or was asked once: a late answer, or a second one, counts for nothing. */
  #answer(session: SessionId): ClientEventInput | null {
    const { events } = this.#scene.log(session);
    const asked = events.filter((each) => each.type === "question.asked");
    const last = asked.at(-1);
    return last === undefined || this.#random.chance(0.5) ? null : answerTo(this.#random, last.body.question);
  }

  hasDaemon(session: SessionId): boolean {
    return this.#scene.sandboxes.live().some((sandbox) => sessionOf(sandbox) === session);
  }

  killDaemon(session: SessionId, forgets: boolean): boolean {
    return this.#scene.sandboxes.kill(session, forgets);
  }

  jumpWall(byMs: number): boolean {
    this.#scene.scheduler.jumpWall(byMs);
    return true;
  }

  suspend(forMs: number): boolean {
    this.#scene.scheduler.suspend(forMs);
    return true;
  }

  failCommits(fault: DiskFault, count: number): boolean {
    const { disk } = this.#scene.machine;
    const lasts = fault === "disk-full" && this.#random.chance(0.4);
    disk.fail(fault, lasts ? Number.POSITIVE_INFINITY : count);
    if (lasts) this.#scene.scheduler.after(this.#random.between(1000, 20_000), () => disk.heal());
    return true;
  }

  stopForAMoment(session: SessionId): void {
    if (!this.#send(session, event("control.stop", {}))) return;
    this.#promised += 1;
    this.#scene.scheduler.after(this.#random.between(500, 5000), () => {
      this.#promised -= 1;
      this.#send(session, message(`go on ${this.#random.text(4)}`));
    });
  }

  #exists(session: SessionId): boolean {
    return this.#scene.log(session).rows.length > 0;
  }

  #send(session: SessionId, input: ClientEventInput): boolean {
    return this.#crowd.sendNow(session, [input]);
  }
}
