/** Runs conformance cases without a test runner. */
import type { Clock } from "../core/clock.ts";
import type { ConformanceCase, ConformanceSkip } from "../core/conformance.ts";

/** What came of one case. */
export type CaseResult =
  | { readonly name: string; readonly outcome: "passed"; readonly durationMs: number }
  | {
      readonly name: string;
      readonly outcome: "failed";
      readonly durationMs: number;
      readonly error: unknown;
    }
  | { readonly name: string; readonly outcome: "skipped"; readonly reason: string };

/** How cases are run. */
export interface RunCasesOptions<Subject> {
  /** Made anew for each case. */
  readonly open: () => Promise<{ readonly subject: Subject; readonly close: () => Promise<void> }>;
  readonly clock: Clock;
  readonly skips?: readonly ConformanceSkip[];
  /** Longest time for one case. Default: one minute. */
  readonly limitMs?: number;
}

const LIMIT_MS = 60_000;

/** Runs the cases one after another. */
export async function* runCases<Subject>(
  cases: readonly ConformanceCase<Subject>[],
  options: RunCasesOptions<Subject>,
): AsyncGenerator<CaseResult, void, void> {
  for (const each of cases) {
    const skip = options.skips?.find(({ name }) => name === each.name);
    if (skip === undefined) yield await runCase(each, options);
    else yield { name: each.name, outcome: "skipped", reason: skip.reason };
  }
}

async function runCase<Subject>(
  each: ConformanceCase<Subject>,
  options: RunCasesOptions<Subject>,
): Promise<CaseResult> {
  const { clock, limitMs = LIMIT_MS } = options;
  const { name } = each;
  const startedMs = clock.monotonicMs();
  const timer = new AbortController();
  const tooLong = clock.sleep(limitMs, timer.signal).then(() => {
    throw new Error(`it took longer than ${limitMs} ms`);
  });
  try {
    await Promise.race([tooLong, runOn(each, options)]);
    return { name, outcome: "passed", durationMs: clock.monotonicMs() - startedMs };
  } catch (error) {
    return { name, outcome: "failed", durationMs: clock.monotonicMs() - startedMs, error };
  } finally {
    timer.abort();
    await tooLong.catch(() => undefined);
  }
}

async function runOn<Subject>(
  each: ConformanceCase<Subject>,
  options: RunCasesOptions<Subject>,
): Promise<void> {
  const { subject, close } = await options.open();
  try {
    await each.run(subject);
  } finally {
    await close();
  }
}
