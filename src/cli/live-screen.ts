/** The live view of one session at the bottom of a terminal: it follows the log, and is redrawn as time goes by. */
import type { SessionEvent } from "../core/events/index.ts";
import type { SessionId } from "../core/ids.ts";
import { reduce } from "../core/reduce.ts";
import type { SessionState } from "../core/state.ts";
import { loadState } from "../runtime/load.ts";
import type { OpenHarness } from "../runtime/open.ts";
import type { BottomBlock } from "./bottom-block.ts";
import { type CommandContext, commandLine, type PlaceFlags } from "./context.ts";
import { questionsOf } from "./inbox-items.ts";
import { screen, type VerdictFact } from "./render/screen.ts";
import { type Surroundings, screenFacts, verdictFact } from "./screen-facts.ts";

/** At most so often. */
const REDRAW_MS = 250;
/** Ages are shown in seconds. */
const AGE_MS = 1000;
const COLUMNS_STANDARD = 80;
const ROWS_STANDARD = 24;
/** Verdicts of the history that are kept. */
const VERDICTS_MAX = 12;

/** How it is opened. */
export interface ScreenOptions {
  readonly flags: PlaceFlags;
  /** Does this process drive it, or stand by to do so? */
  readonly isDriver: boolean;
  /** What keys do. */
  readonly keys: string;
  /** Other processes that stay for this session. */
  readonly watchers: () => readonly number[];
}

/** What is known of the log so far. */
interface Seen {
  readonly state: SessionState;
  readonly lastType: string;
  readonly verdicts: readonly VerdictFact[];
  readonly questions: ReadonlyMap<string, string>;
}

/** Shows it until it is disposed of. @throws NightshiftError `E_SESSION_UNKNOWN` and what reading throws */
export async function openScreen(
  context: CommandContext,
  harness: OpenHarness,
  sessionId: SessionId,
  options: ScreenOptions,
): Promise<LiveScreen> {
  const { store } = harness;
  const state = await loadState(store, sessionId);
  const newest = { backwards: true, after: state.seq + 1 };
  const [last] = await store.getEvents(sessionId, { ...newest, limit: 1 });
  const given = await store.getEvents(sessionId, {
    ...newest,
    limit: VERDICTS_MAX,
    types: ["verdict.given"],
  });
  const verdicts = given.flatMap((item) => (item.type === "verdict.given" ? [verdictFact(item)] : []));
  const questions = (await questionsOf(harness, state)).map(
    ({ question, text }) => [question, text] as const,
  );
  const seen = {
    state,
    lastType: last?.type ?? "",
    verdicts: verdicts.reverse(),
    questions: new Map(questions),
  };
  return new LiveScreen(context, harness, options, seen);
}

/** See the top of the file. However the process ends, the terminal is as it was. */
export class LiveScreen implements AsyncDisposable {
  readonly #context: CommandContext;
  readonly #harness: OpenHarness;
  readonly #options: ScreenOptions;
  readonly #block: BottomBlock;
  readonly #closed = new AbortController();
  readonly #drawing: Promise<void>;
  #seen: Seen;
  #changed: PromiseWithResolvers<void> = Promise.withResolvers();

  constructor(context: CommandContext, harness: OpenHarness, options: ScreenOptions, seen: Seen) {
    this.#context = context;
    this.#harness = harness;
    this.#options = options;
    this.#seen = seen;
    this.#block = context.output.openBlock();
    process.on("exit", this.#clear);
    process.on("SIGTSTP", this.#suspend);
    process.on("SIGCONT", this.#goOn);
    process.stdout.on("resize", this.#news);
    this.#drawing = this.#draw();
  }

  /** Takes up the next event of the log. */
  note(item: SessionEvent): void {
    const { state, verdicts, questions } = this.#seen;
    if (item.seq !== state.seq + 1) return;
    this.#seen = {
      state: reduce(state, item),
      lastType: item.type,
      verdicts:
        item.type === "verdict.given" ? [...verdicts, verdictFact(item)].slice(-VERDICTS_MAX) : verdicts,
      questions:
        item.type === "question.asked"
          ? new Map([...questions, [item.body.question, item.body.text]])
          : questions,
    };
    this.#news();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort(null);
    await this.#drawing;
    this.#clear();
    process.off("exit", this.#clear);
    process.off("SIGTSTP", this.#suspend);
    process.off("SIGCONT", this.#goOn);
    process.stdout.off("resize", this.#news);
  }

  readonly #news = (): void => this.#changed.resolve();
  readonly #clear = (): void => this.#block.show([]);

  /** Ctrl-Z: whoever uses the terminal meanwhile finds it as it was. */
  readonly #suspend = (): void => {
    this.#clear();
    process.kill(process.pid, "SIGSTOP");
  };

  readonly #goOn = (): void => this.#news();

  async #draw(): Promise<void> {
    const { clock } = this.#harness;
    const { signal } = this.#closed;
    while (!signal.aborted) {
      this.#changed = Promise.withResolvers();
      await this.#drawOnce();
      await clock.sleep(REDRAW_MS, signal).catch(() => undefined);
      const older = new AbortController();
      const tick = clock.sleep(AGE_MS - REDRAW_MS, AbortSignal.any([signal, older.signal]));
      await Promise.race([this.#changed.promise, tick.catch(() => undefined)]);
      older.abort(null);
    }
  }

  /** A look that fails says nothing about the work; whoever drives tells of it. */
  async #drawOnce(): Promise<void> {
    const record = await this.#harness.store.getSession(this.#seen.state.sessionId).catch(() => undefined);
    if (record === undefined || this.#closed.signal.aborted) return;
    const { flags, isDriver, keys, watchers } = this.#options;
    const { environment } = this.#context;
    const now = this.#harness.clock.wallMs();
    const { state, ...seen } = this.#seen;
    const around: Surroundings = {
      ...seen,
      ...{ record, isDriver, keys, now },
      watchers: isDriver ? [] : watchers(),
      commandLine: (words) => commandLine(flags, ...words),
    };
    // A terminal that does not know its size says 0.
    const columns = process.stdout.columns || COLUMNS_STANDARD;
    const rows = process.stdout.rows || ROWS_STANDARD;
    const frame = { columns, rows, now, colour: (environment.NO_COLOR ?? "") === "" };
    this.#block.show(screen(screenFacts(state, around), frame));
  }
}
