/** What the demonstration has promised, held against the log and the world outside. */
import type { SessionEvent } from "../../core/events/index.ts";

/** One thing that was promised, and whether it held. */
export interface Evidence {
  readonly claim: string;
  readonly holds: boolean;
  readonly seen: string;
}

/** What was seen besides the log. */
export interface Witnessed {
  /** Lines in the outbox. */
  readonly sent: number;
  /** Processes that drove it. */
  readonly drivers: number;
  /** Model requests that the kill left open. */
  readonly openRequests: number;
  readonly lastExitCode: number | null;
  readonly fsckExitCode: number | null;
  readonly isUntouched: boolean;
}

/** In the order of the story. */
export function evidenceOf(events: readonly SessionEvent[], seen: Witnessed): readonly Evidence[] {
  const lost = events.filter(
    (item) => item.type === "span.model_request_end" && item.body.outcome === "lost",
  ).length;
  const runs = events.filter((item) => item.type === "tool.started").map((item) => item.body.call);
  const repeated = runs.length - new Set(runs).size;
  const epochs = events.filter((item) => item.type === "harness.woke").length;
  const threads = events.filter((item) => item.type === "session.thread_created").length;
  const answers = events.filter((item) => item.type === "question.answered").length;
  const verdicts = events.filter((item) => item.type === "verdict.given").map((item) => item.body);
  const outcomes = verdicts.map(({ outcome }) => outcome);
  const looked = verdicts.flatMap(({ review }) => review.map(({ path }) => path));
  return [
    claim("“done” was not believed", outcomes[0] === "unmet", `verdict 1: ${outcomes[0] ?? "none"}`),
    claim(
      "the invoice was sent once",
      seen.sent === 1,
      `${seen.sent} line in the outbox, ${repeated} repeats`,
    ),
    claim(
      "the cut-off answer is on record",
      lost === 1 && seen.openRequests === 1,
      `${lost} request lost, asked again`,
    ),
    claim(`${seen.drivers} processes drove it in turn`, epochs === seen.drivers, `${epochs} epochs`),
    claim("the second goal had a fresh context", threads === 2, `${threads} contexts`),
    claim("a question waited for its answer", answers === 1, `${answers} answered`),
    claim(
      "a deleted test went to a person",
      looked.includes("test/currency.test.js"),
      `verdicts: ${outcomes.join(", ")}`,
    ),
    claim("in the end it is verified", seen.lastExitCode === 0, `exit code ${seen.lastExitCode}`),
    claim("your own folder was not touched", seen.isUntouched, "git status: clean"),
    claim(
      "the log is whole",
      seen.fsckExitCode === 0,
      seen.fsckExitCode === 0 ? `fsck: ${events.length} events, no problem` : "fsck found problems",
    ),
  ];
}

function claim(text: string, holds: boolean, seen: string): Evidence {
  return { claim: text, holds, seen };
}
