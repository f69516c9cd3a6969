/** The runner: does in a pod what the daemon tells it over the wire. */
import { rmSync } from "node:fs";
import { stat } from "node:fs/promises";
import type { Duplex } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import { isNightshiftError, messageOf, NightshiftError, unreachable } from "../../core/errors.ts";
import type { Json } from "../../core/text.ts";
import type { ExecResult } from "../contract.ts";
import { withMarker } from "../daemon/environment.ts";
import type { Run, RunHooks } from "../daemon/executions.ts";
import { OperationRunner } from "../daemon/operation-runner.ts";
import { type PipeMaker, PipePool } from "../daemon/pipes.ts";
import { findShell } from "../daemon/shell.ts";
import { GATEWAY_SHIM_PORT, startEgressShim } from "../egress-shim.ts";

import { type FromRunner, type RunnerConfig, type ToRunner, WireEnd } from "./wire.ts";

/** Previews a second at the most, and the bytes in each; more is not shown. */
const PREVIEW_INTERVAL_MS = 50;
const PREVIEW_BYTES_MAX = 16_384;
/** Previews are dropped while the daemon has more than this still to read. */
const BACKLOG_BYTES_MAX = 1024 * 1024;

/** What a launcher gives its runner. */
export interface RunnerPlace {
  readonly wire: Duplex;
  /** Where names of pipes may be made for moments. */
  readonly pipeFolder: string;
  readonly pipeMaker: PipeMaker;
  /** Begins commands, and waits for all that they start. */
  readonly reaper: string | undefined;
}

/** An execution as the runner sees it. */
interface Hosted {
  run: Run | undefined;
  isStopped: boolean;
  /** Settles the question whether it may begin. */
  noted: PromiseWithResolvers<void> | undefined;
}

/** Serves one daemon, for as long as the wire holds. */
export class RunnerHost {
  readonly #place: RunnerPlace;
  readonly #wire: WireEnd<ToRunner, FromRunner>;
  readonly #hosted = new Map<number, Hosted>();
  #runner: OperationRunner | undefined;

  /** @param lost - called when the wire has broken; nothing is of any use then */
  constructor(place: RunnerPlace, lost: (reason: string) => void) {
    this.#place = place;
    this.#wire = new WireEnd<ToRunner, FromRunner>(place.wire, (frame) => this.#receive(frame), lost);
  }

  #receive(frame: ToRunner): void {
    switch (frame.type) {
      case "start":
        void this.#answer(0, this.#start(frame));
        return;
      case "begin":
        void this.#begin(frame);
        return;
      case "noted":
        this.#note(frame.n, frame.problem);
        return;
      case "stop":
        this.#stop(frame.n);
        return;
      case "sweep":
        void this.#answer(
          frame.n,
          this.#started.sweep(frame.exec).then(() => null),
        );
        return;
      case "prepare": {
        const { n, operation, input } = frame;
        const reply = this.#started.prepare(operation, input);
        void this.#answer(
          n,
          reply.then((value) => ({ ...value })),
        );
        return;
      }
      default:
        unreachable(frame);
    }
  }

  get #started(): OperationRunner {
    if (this.#runner === undefined) throw new Error("the wire must begin with a start");
    return this.#runner;
  }

  async #start({ root, key, environment, leftovers, egress, gateway }: RunnerConfig): Promise<Json> {
    const pipes = new PipePool(this.#place.pipeFolder, this.#place.pipeMaker);
    // Looking at any file makes Node start its threads; when commands have taken all that may run, it would die of it.
    await Promise.all([
      pipes.fill(),
      stat(root),
      egress === null ? undefined : startEgressShim(egress),
      gateway === null ? undefined : startEgressShim(gateway, GATEWAY_SHIM_PORT),
    ]);
    for (const path of leftovers) rmSync(path, { force: true });
    const marked = withMarker(environment, `${key}.pod`);
    const shell = findShell(environment);
    const { reaper } = this.#place;
    const options = { root, environment: marked, pipes, shell, key, isPod: true };
    this.#runner = new OperationRunner(reaper === undefined ? options : { ...options, reaper });
    return null;
  }

  async #begin({ n, request, isNoted }: ToRunner & { readonly type: "begin" }): Promise<void> {
    const hosted: Hosted = { run: undefined, isStopped: false, noted: undefined };
    this.#hosted.set(n, hosted);
    const hooks: RunHooks = {
      begun: async (temporary) => {
        if (isNoted) return;
        hosted.noted = Promise.withResolvers();
        this.#wire.send({ type: "begins", n, temporary: temporary ?? null });
        await hosted.noted.promise;
      },
      spawned: () => undefined,
      output: this.#previews(n),
    };
    await this.#answer(n, this.#perform(hosted, this.#started.begin(request, hooks)));
    this.#hosted.delete(n);
  }

  async #perform(hosted: Hosted, beginning: Promise<Run>): Promise<Json> {
    const run = await beginning;
    hosted.run = run;
    if (hosted.isStopped) void run.stop("cancelled");
    const result: ExecResult = await run.done;
    return { ...result };
  }

  #note(n: number, problem: string | null): void {
    const noted = this.#hosted.get(n)?.noted;
    if (problem === null) noted?.resolve();
    else noted?.reject(new NightshiftError("E_SANDBOX_UNAVAILABLE", problem));
  }

  #stop(n: number): void {
    const hosted = this.#hosted.get(n);
    if (hosted === undefined) return;
    hosted.isStopped = true;
    void hosted.run?.stop("cancelled");
  }

  #previews(n: number): (chunk: Buffer) => void {
    const decoder = new StringDecoder("utf8");
    let text = "";
    let isScheduled = false;
    const flush = (): void => {
      isScheduled = false;
      const isWanted = this.#hosted.has(n) && !this.#wire.isBehind(BACKLOG_BYTES_MAX);
      if (isWanted && text !== "") this.#wire.send({ type: "output", n, text });
      text = "";
    };
    return (chunk) => {
      if (text.length < PREVIEW_BYTES_MAX) text += decoder.write(chunk.subarray(0, PREVIEW_BYTES_MAX));
      if (!isScheduled) setTimeout(flush, PREVIEW_INTERVAL_MS).unref();
      isScheduled = true;
    };
  }

  async #answer(n: number, work: Promise<Json>): Promise<void> {
    try {
      this.#wire.send({ type: "answer", n, value: await work });
    } catch (error) {
      const code = isNightshiftError(error) ? error.code : "E_INTERNAL";
      this.#wire.send({ type: "failure", n, code, message: messageOf(error) });
    }
  }
}
