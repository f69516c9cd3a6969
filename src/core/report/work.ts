/**
 * How the work of a session went, gathered for people from its log: what was spent, what went wrong, what the agent
 * claimed and what the log shows. A fold that reports are made of; nothing is decided by it, and lists are bounded.
 */
import { endingOf } from "../attempt/ending.ts";
import { commandText } from "../contract/tell.ts";
import type { EventBody, SessionEvent } from "../events/index.ts";
import type { Sequence } from "../ids.ts";
import { type ClaimKind, claimIn } from "./claims.ts";
import { SPEND_TYPES, type Spend, SpendReader } from "./spend.ts";

/** Kept of each list; the newest ones. */
const KEPT_MAX = 100;

/** A place in the log, and what there is to say of it. */
export interface Mention {
  readonly seq: Sequence;
  readonly at: number;
  readonly text: string;
}

/** A list that keeps the newest, and counts all. */
export interface Mentions {
  readonly count: number;
  readonly newest: readonly Mention[];
}

/** One worker's go at a criterion. */
export interface AttemptAccount {
  readonly number: number;
  readonly criterion: string | null;
  readonly reason: string;
  readonly seq: Sequence;
  /** Null: it is open. */
  readonly ending: string | null;
  readonly durationMs: number | null;
}

/** A question of the agent. */
export interface QuestionAccount {
  readonly question: string;
  readonly seq: Sequence;
  readonly text: string;
  readonly answer: string | null;
  /** Null: nobody answered it; the default was taken if there is an answer. */
  readonly author: string | null;
  readonly isOpen: boolean;
}

/** What the agent said it had done, and what the log shows of it. */
export interface ClaimAccount {
  readonly seq: Sequence;
  readonly kind: ClaimKind;
  readonly quote: string;
  /** The agent's own last run of a check before it; null when it ran none. */
  readonly run: { readonly seq: Sequence; readonly exitCode: number | null } | null;
  /** The next verdict; null when none was given. */
  readonly verdict: {
    readonly seq: Sequence;
    readonly number: number;
    readonly outcome: EventBody<"verdict.given">["outcome"];
  } | null;
}

/** Which commit met a criterion first, by which verdict; it may have been unmet again since. */
export interface FirstMet {
  readonly criterion: string;
  readonly commit: string;
  readonly verdict: number;
  readonly seq: Sequence;
}

/** Does the log show something else than what was claimed? */
export function isContradicted({ verdict, run, kind }: ClaimAccount): boolean {
  if (verdict !== null) return verdict.outcome !== "met";
  return kind === "tests_pass" && run !== null && run.exitCode !== 0;
}

/** Is all met but what the agent has said itself that it cannot meet? Then it claimed no more than that. */
function isButDeclared(criteria: EventBody<"verdict.given">["criteria"]): boolean {
  const open = criteria.filter(({ status }) => status !== "met" && status !== "waived");
  return open.length > 0 && open.every(({ status }) => status === "impossible" || status === "blocked");
}

/** Everything that the second half of a report says. */
export interface WorkAccount {
  readonly startedAt: number;
  readonly endedAt: number;
  readonly spend: Spend;
  /** By criterion; `""` for what was spent on none. */
  readonly spendOn: Readonly<Record<string, Spend>>;
  readonly attempts: readonly AttemptAccount[];
  readonly attemptCount: number;
  readonly firstMet: readonly FirstMet[];
  /** Drivers after the first: each time the one before had died, or left. */
  readonly wakes: Mentions;
  readonly suspendedMs: number;
  readonly lostRequests: Mentions;
  readonly failedRequests: Mentions;
  readonly lostSandboxes: Mentions;
  /** Attempts whose program came to no good end. */
  readonly failedAttempts: Mentions;
  /** Runs whose changes went with a sandbox. */
  readonly lostRuns: number;
  readonly inDoubt: Mentions;
  /** Caps and breakers. */
  readonly stops: Mentions;
  readonly messages: Mentions;
  readonly questions: readonly QuestionAccount[];
  /** What the agent has decided, by its handoffs; each once, where it was said first. */
  readonly decisions: Mentions;
  /** The newest. */
  readonly claims: readonly ClaimAccount[];
  readonly claimCount: number;
  readonly contradictedCount: number;
  readonly branches: Mentions;
}

/** Types that an account is made of; a reader needs no others. */
export const WORK_TYPES: readonly string[] = [
  "session.created",
  "session.status_idle",
  "contract.sealed",
  "contract.amended",
  ...SPEND_TYPES,
  "attempt.started",
  "attempt.ended",
  "harness.woke",
  "harness.suspended",
  "sandbox.lost",
  "workspace.restored",
  "tool.in_doubt",
  "budget.exhausted",
  "breaker.tripped",
  "branch.published",
  "branch.refused",
  "user.message",
  "question.asked",
  "question.answered",
  "question.expired",
  "handoff.noted",
  "agent.tool_use",
  "agent.tool_result",
  "agent.message",
  "verdict.given",
];

const NONE: Mentions = { count: 0, newest: [] };

/** The account of a log. */
export function workOf(events: Iterable<SessionEvent>): WorkAccount {
  const reader = new WorkReader();
  for (const event of events) reader.add(event);
  return reader.account();
}

/** Reads one log, in order; for logs that are read in pages. */
export class WorkReader {
  #startedAt = 0;
  #endedAt = 0;
  #isEmpty = true;
  readonly #spend = new SpendReader();
  readonly #attempts: AttemptAccount[] = [];
  #attemptCount = 0;
  readonly #firstMet = new Map<string, FirstMet>();
  readonly #mentions = new Map<MentionKind, Mentions>();
  #suspendedMs = 0;
  #lostRuns = 0;
  readonly #questions = new Map<string, QuestionAccount>();
  readonly #claims: ClaimAccount[] = [];
  #claim: ClaimAccount | null = null;
  #claimCount = 0;
  #contradicted = 0;
  #checks: readonly string[] = [];
  readonly #ownRuns = new Set<string>();
  #ownRun: ClaimAccount["run"] = null;

  /** The next event. */
  add(event: SessionEvent): void {
    if (this.#isEmpty) this.#startedAt = event.at;
    this.#isEmpty = false;
    this.#endedAt = event.at;
    const open = this.#attempts.at(-1);
    this.#spend.add(event, open?.ending === null ? (open.criterion ?? "") : "");
    this.#addAttempt(event);
    this.#addTrouble(event);
    this.#addPeople(event);
    this.#addClaim(event);
  }

  account(): WorkAccount {
    const of = (kind: MentionKind): Mentions => this.#mentions.get(kind) ?? NONE;
    return {
      startedAt: this.#startedAt,
      endedAt: this.#endedAt,
      ...this.#spend.account(),
      attempts: this.#attempts.slice(-KEPT_MAX),
      attemptCount: this.#attemptCount,
      firstMet: [...this.#firstMet.values()],
      wakes: of("wakes"),
      suspendedMs: this.#suspendedMs,
      lostRequests: of("lostRequests"),
      failedRequests: of("failedRequests"),
      lostSandboxes: of("lostSandboxes"),
      failedAttempts: of("failedAttempts"),
      lostRuns: this.#lostRuns,
      inDoubt: of("inDoubt"),
      stops: of("stops"),
      messages: of("messages"),
      questions: [...this.#questions.values()],
      decisions: of("decisions"),
      ...this.#claimsNow(),
      branches: of("branches"),
    };
  }

  #claimsNow(): Pick<WorkAccount, "claims" | "claimCount" | "contradictedCount"> {
    const open = this.#claim === null ? [] : [this.#claim];
    return {
      claims: [...this.#claims, ...open],
      claimCount: this.#claimCount + open.length,
      contradictedCount: this.#contradicted + open.filter(isContradicted).length,
    };
  }

  #mention(kind: MentionKind, { seq, at }: SessionEvent, text: string): void {
    const { count, newest } = this.#mentions.get(kind) ?? NONE;
    this.#mentions.set(kind, {
      count: count + 1,
      newest: [...newest.slice(1 - KEPT_MAX), { seq, at, text }],
    });
  }

  #addAttempt(event: SessionEvent): void {
    if (event.type === "attempt.started") {
      const { attempt: number, criterion, reason } = event.body;
      this.#attemptCount += 1;
      this.#attempts.push({ number, criterion, reason, seq: event.seq, ending: null, durationMs: null });
    }
    if (event.type === "attempt.ended") {
      const { attempt, ending, duration_ms: durationMs } = event.body;
      const at = this.#attempts.findLastIndex(({ number }) => number === attempt);
      const open = this.#attempts[at];
      if (open !== undefined) this.#attempts[at] = { ...open, ending, durationMs };
      const { how, said, isFailure } = endingOf(event.body);
      if (isFailure)
        this.#mention(
          "failedAttempts",
          event,
          `attempt ${attempt}: ${how}${said === "" ? "" : ` | ${said}`}`,
        );
    }
  }

  #addTrouble(event: SessionEvent): void {
    switch (event.type) {
      case "harness.woke":
        if (event.body.epoch > 1) this.#mention("wakes", event, `epoch ${event.body.epoch}`);
        return;
      case "harness.suspended":
        this.#suspendedMs += event.body.gap_ms;
        return;
      case "span.model_request_end":
        this.#addFailure(event);
        return;
      case "sandbox.lost":
        this.#mention("lostSandboxes", event, event.body.reason);
        return;
      case "workspace.restored":
        this.#lostRuns += event.body.lost_count;
        return;
      case "tool.in_doubt":
        if (event.body.finding === "unknown")
          this.#mention("inDoubt", event, `${event.body.call}: ${event.body.reason}`);
        return;
      case "budget.exhausted":
        this.#mention("stops", event, `cap ${event.body.cap} of ${event.body.limit} reached`);
        return;
      case "breaker.tripped":
        this.#mention("stops", event, `${event.body.cause}: ${event.body.detail}`);
        return;
      case "branch.published":
        this.#mention("branches", event, event.body.branch);
        return;
      case "branch.refused":
        this.#mention("branches", event, `${event.body.branch} was not made: ${event.body.reason}`);
        return;
      default:
        return;
    }
  }

  #addFailure(event: SessionEvent<"span.model_request_end">): void {
    const { request, outcome, error } = event.body;
    if (outcome === "lost") this.#mention("lostRequests", event, `request ${request}`);
    if (outcome === "failed")
      this.#mention("failedRequests", event, `request ${request}: ${error?.class ?? "unknown"}`);
  }

  #addPeople(event: SessionEvent): void {
    switch (event.type) {
      case "user.message":
        this.#mention("messages", event, textOf(event.body.content));
        return;
      case "question.asked": {
        const { question, text } = event.body;
        const open = { question, seq: event.seq, text, answer: null, author: null, isOpen: true };
        this.#questions.set(question, open);
        return;
      }
      case "question.answered":
        this.#answered(event.body.question, event.body.text, event.body.author);
        return;
      case "question.expired":
        this.#answered(event.body.question, event.body.text, null);
        return;
      case "handoff.noted":
        for (const decision of event.body.decisions) this.#decided(event, decision);
        return;
      default:
        return;
    }
  }

  /** Each handoff says again what still holds. */
  #decided(event: SessionEvent, decision: string): void {
    const known = this.#mentions.get("decisions")?.newest ?? [];
    if (known.every(({ text }) => text !== decision)) this.#mention("decisions", event, decision);
  }

  #answered(question: string, answer: string | null, author: string | null): void {
    const known = this.#questions.get(question);
    // The first answer counts.
    if (known?.isOpen === true) this.#questions.set(question, { ...known, answer, author, isOpen: false });
  }

  #addClaim(event: SessionEvent): void {
    switch (event.type) {
      case "contract.sealed":
      case "contract.amended":
        this.#checks = event.body.contract.criteria.flatMap(({ check }) =>
          check === null ? [] : [commandText(check)],
        );
        return;
      case "agent.tool_use":
        if (this.#isCheck(event.body.input)) this.#ownRuns.add(event.body.call);
        return;
      case "agent.tool_result":
        if (this.#ownRuns.delete(event.body.call))
          this.#ownRun = { seq: event.seq, exitCode: event.body.exit_code };
        return;
      case "agent.message": {
        const claim = claimIn(textOf(event.body.content));
        if (claim !== null) this.#claim = { ...claim, seq: event.seq, run: this.#ownRun, verdict: null };
        return;
      }
      case "verdict.given":
        this.#judged(event);
        return;
      default:
        return;
    }
  }

  #isCheck(input: unknown): boolean {
    const command = (input as { readonly command?: unknown } | null)?.command;
    return typeof command === "string" && this.#checks.some((check) => command.includes(check));
  }

  #judged({ seq, body: { number, outcome, commit, criteria } }: SessionEvent<"verdict.given">): void {
    if (this.#claim !== null && !isButDeclared(criteria)) {
      const claim = { ...this.#claim, verdict: { seq, number, outcome } };
      this.#claims.push(claim);
      this.#claimCount += 1;
      this.#contradicted += isContradicted(claim) ? 1 : 0;
    }
    if (this.#claims.length > KEPT_MAX) this.#claims.shift();
    this.#claim = null;
    for (const { criterion, status } of criteria) {
      if (status !== "met" || this.#firstMet.has(criterion)) continue;
      this.#firstMet.set(criterion, { criterion, commit, verdict: number, seq });
    }
  }
}

type MentionKind =
  | "wakes"
  | "lostRequests"
  | "failedRequests"
  | "lostSandboxes"
  | "failedAttempts"
  | "inDoubt"
  | "stops"
  | "messages"
  | "decisions"
  | "branches";

function textOf(content: EventBody<"agent.message">["content"]): string {
  return content.map(({ text }) => (typeof text === "string" ? text : "")).join("\n");
}
