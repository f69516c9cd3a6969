/** The executions of a pod, as the daemon outside sees them: questions to the runner, by number. */
import { messageOf, NightshiftError, unreachable } from "../../core/errors.ts";
import type { ExecId } from "../../core/ids.ts";
import type { Json } from "../../core/text.ts";
import type { ExecRequest, ExecResult, PrepareReply } from "../contract.ts";
import type { Run, RunHooks, Runner } from "../daemon/executions.ts";
import type { Pod } from "./contract.ts";
import { type FromRunner, type RunnerConfig, type ToRunner, WireEnd } from "./wire.ts";

/** Longer than the runner takes to find out that something cannot be killed. */
const STOP_MS_MAX = 30_000;
const START_MS_MAX = 60_000;
/** Long enough to read the largest file there may be. */
const PREPARE_MS_MAX = 300_000;
const TIMER_MS_MAX = 2_147_483_647;

interface Waiting {
  resolve(value: Json): void;
  reject(error: unknown): void;
  readonly hooks: RunHooks | undefined;
  /** The kernel has killed something for want of memory while it ran. */
  lacksMemory: boolean;
}

/** Speaks to one runner. When the wire breaks, or the runner does not do what it must, the pod is lost. */
export class RemoteRunner implements Runner {
  readonly #pod: Pod;
  readonly #wire: WireEnd<FromRunner, ToRunner>;
  readonly #waiting = new Map<number, Waiting>();
  readonly #lost: (reason: string) => void;
  #next = 1;
  #loss: NightshiftError | undefined;

  /** @param lost - called once, when nothing can be expected of the pod any more */
  constructor(pod: Pod, lost: (reason: string) => void) {
    this.#pod = pod;
    this.#lost = lost;
    this.#wire = new WireEnd<FromRunner, ToRunner>(
      pod.wire,
      (frame) => this.#receive(frame),
      (reason) => this.#lose(`the wire to its runner has broken: ${reason}`),
    );
    void pod.ended.then(({ reason }) => this.#lose(`its pod has ended: ${reason}`));
  }

  /** Tells the runner what it needs; nothing can be asked before. @throws NightshiftError `E_SANDBOX_UNAVAILABLE` */
  async start(config: RunnerConfig): Promise<void> {
    const timer = setTimeout(() => this.#lose("its runner does not answer"), START_MS_MAX);
    try {
      await this.#ask(0, { type: "start", ...config });
    } catch (cause) {
      const message = `the runner of the pod cannot start: ${messageOf(cause)}`;
      throw new NightshiftError("E_SANDBOX_UNAVAILABLE", message, { cause, retryable: true });
    } finally {
      clearTimeout(timer);
    }
  }

  async begin(request: ExecRequest, hooks: RunHooks): Promise<Run> {
    // A command always begins, so there is no need to let the runner ask.
    const isNoted = request.operation === "shell";
    if (isNoted) await hooks.begun();
    const n = this.#next++;
    const overdueMs = Math.min(request.limits.wallMs + STOP_MS_MAX, TIMER_MS_MAX);
    const timer = setTimeout(() => this.#lose("its runner does not keep time limits"), overdueMs);
    const done = this.#ask(n, { type: "begin", n, request, isNoted }, hooks)
      .then((value) => value as unknown as ExecResult)
      .finally(() => clearTimeout(timer));
    done.catch(() => undefined);
    const stop = async (): Promise<void> => {
      this.#wire.send({ type: "stop", n });
      await this.#inTime(done).catch(() => undefined);
    };
    return { done, stop };
  }

  async sweep(exec: ExecId): Promise<void> {
    const n = this.#next++;
    await this.#inTime(this.#ask(n, { type: "sweep", n, exec }));
  }

  async prepare(operation: "write" | "edit", input: Json): Promise<PrepareReply> {
    const n = this.#next++;
    const reply = this.#ask(n, { type: "prepare", n, operation, input });
    return (await this.#inTime(reply, PREPARE_MS_MAX)) as unknown as PrepareReply;
  }

  #ask(n: number, frame: ToRunner, hooks?: RunHooks): Promise<Json> {
    if (this.#loss) return Promise.reject(this.#loss);
    const { promise, resolve, reject } = Promise.withResolvers<Json>();
    this.#waiting.set(n, { resolve, reject, hooks, lacksMemory: false });
    this.#wire.send(frame);
    return promise;
  }

  #receive(frame: FromRunner): void {
    const waiting = this.#waiting.get(frame.n);
    switch (frame.type) {
      case "begins":
        void this.#note(frame.n, frame.temporary, waiting?.hooks);
        return;
      case "output":
        waiting?.hooks?.output(Buffer.from(frame.text));
        return;
      case "answer":
        this.#waiting.delete(frame.n);
        waiting?.resolve(waiting.hooks === undefined ? frame.value : this.#judge(waiting, frame.value));
        return;
      case "failure":
        this.#waiting.delete(frame.n);
        waiting?.reject(new NightshiftError(frame.code, frame.message));
        return;
      default:
        unreachable(frame);
    }
  }

  async #note(n: number, temporary: string | null, hooks: RunHooks | undefined): Promise<void> {
    if (hooks === undefined) return;
    try {
      await hooks.begun(temporary ?? undefined);
      this.#wire.send({ type: "noted", n, problem: null });
    } catch (error) {
      this.#wire.send({ type: "noted", n, problem: messageOf(error) });
    }
  }

  /** A command that failed while the kernel killed for want of memory failed for want of memory. */
  #judge(waiting: Waiting, value: Json): Json {
    if (this.#pod.tookMemoryKill()) {
      waiting.lacksMemory = true;
      for (const other of this.#waiting.values()) if (other.hooks) other.lacksMemory = true;
    }
    const result = value as unknown as ExecResult;
    const isVictim = waiting.lacksMemory && result.ending === "exited" && result.exitCode !== 0;
    return isVictim ? { ...result, ending: "out_of_memory", exitCode: null } : value;
  }

  /** Whoever does not stop in time is ended with all that there is. */
  async #inTime<Value>(work: Promise<Value>, limitMs: number = STOP_MS_MAX): Promise<Value> {
    const timer = setTimeout(() => this.#lose("its runner cannot end what it runs"), limitMs);
    try {
      return await work;
    } finally {
      clearTimeout(timer);
    }
  }

  #lose(reason: string): void {
    if (this.#loss) return;
    this.#loss = new NightshiftError("E_SANDBOX_LOST", `the sandbox is lost: ${reason}`);
    for (const { reject } of this.#waiting.values()) reject(this.#loss);
    this.#waiting.clear();
    this.#lost(reason);
  }
}
