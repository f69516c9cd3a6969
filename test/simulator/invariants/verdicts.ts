/** Promises about contracts: nothing begins unchecked, and done means verified. */
import { isAbout } from "../../../src/core/contract/declaration.ts";
import type { SessionEvent } from "../../../src/core/events/index.ts";
import type { EventMoment, Invariant } from "../judge.ts";
import type { ObservedLog } from "../log.ts";

type Type = SessionEvent["type"];

function newest<T extends Type>(log: ObservedLog, ...types: readonly T[]): SessionEvent<T> | undefined {
  const found = log.events.findLast(({ type }) => (types as readonly Type[]).includes(type));
  return found as SessionEvent<T> | undefined;
}

/** The contract in force, as the log says it. */
function contractOf(log: ObservedLog): SessionEvent<"contract.sealed" | "contract.amended"> | undefined {
  return newest(log, "contract.sealed", "contract.amended");
}

/** The commit that was saved last, or what a person went back to since. */
function savedCommit(log: ObservedLog): string | undefined {
  const saved = newest(log, "checkpoint.created", "workspace.rewound");
  return saved?.body.commit ?? log.state.config?.sandbox.checkout?.base;
}

/** No model request before the checks have run on the base under the contract in force. */
export function nothingBeginsBeforeItsPreflight(): Invariant {
  return {
    promise: "nothing-begins-before-its-preflight",
    onEvent: ({ log, event }) => {
      if (event.type !== "span.model_request_start") return null;
      const contract = contractOf(log);
      if (contract === undefined) return null;
      const finished = newest(log, "preflight.finished");
      const started = log.events.findLast(
        ({ type, seq }) => type === "preflight.started" && seq < (finished?.seq ?? 0),
      );
      const isPassed = finished !== undefined && finished.body.problems.length === 0;
      return isPassed && started !== undefined && started.seq > contract.seq
        ? null
        : `request ${event.body.request} starts, and no preflight of the contract at ${contract.seq} has passed`;
    },
  };
}

/** What the agent, or anybody else, does after a verdict that might change what it is about. */
const WORK = /^(agent\.|tool\.|span\.|checkpoint\.|workspace\.|contract\.)/;

/** `verified` comes directly after a positive verdict on the newest saved commit, under the contract in force. */
export function verifiedMeansAPositiveVerdict(): Invariant {
  return {
    promise: "verified-means-a-positive-verdict",
    onEvent: ({ log, event }) => {
      if (event.type !== "session.status_idle" || event.body.stop_reason.type !== "verified") return null;
      const given = newest(log, "verdict.given");
      if (given === undefined || given.body.number !== event.body.stop_reason.verdict)
        return `verdict ${event.body.stop_reason.verdict} is not the newest`;
      const { number, outcome, criteria, review } = given.body;
      const isMet = criteria.every(({ status }) => status === "met" || status === "waived");
      if (outcome !== "met" || !isMet || review.length > 0)
        return `verified by verdict ${number}, which says ${outcome}`;
      if (given.body.contract_hash !== contractOf(log)?.body.hash)
        return `verified by verdict ${number}, which is about another contract`;
      if (given.body.commit !== savedCommit(log))
        return `verified by verdict ${number}, which is about another commit than the newest`;
      const since = log.events.slice(given.seq).find(({ type }) => WORK.test(type));
      return since === undefined ? null : `${since.type} has come between verdict ${number} and verified`;
    },
  };
}

/** Verdicts have one receipt each, and what was checked for one is checked once. */
export function oneReceiptPerVerdict(): Invariant {
  const seen = new Set<string>();
  const repeated = (log: ObservedLog, name: string): string | null => {
    const key = `${log.session} ${name}`;
    const isKnown = seen.has(key);
    seen.add(key);
    return isKnown ? `${name} is in the log twice` : null;
  };
  return {
    promise: "one-receipt-per-verdict",
    onEvent: ({ log, event }) => {
      switch (event.type) {
        case "verdict.requested":
          return repeated(log, `the intent of verdict ${event.body.number}`);
        case "verdict.given":
          if (newest(log, "verdict.requested")?.body.number !== event.body.number)
            return `a receipt for verdict ${event.body.number}, which is not the one asked for`;
          return repeated(log, `verdict ${event.body.number}`);
        case "referee.composed":
        case "referee.ratcheted":
          return repeated(log, `${event.type} of verdict ${event.body.verdict}`);
        case "referee.checked": {
          const { verdict, criterion, pass } = event.body;
          return repeated(log, `the check of ${criterion} (${pass}) for verdict ${verdict}`);
        }
        default:
          return null;
      }
    },
  };
}

/** What a verdict relies on is in the log before it, and is about the same verdict. */
export function evidenceComesFirst(): Invariant {
  return {
    promise: "evidence-comes-first",
    onRelied: ({ log, seq, fact }) => {
      const event = log.events[seq - 1];
      const isThere = event !== undefined && event.type === fact.type && isSame(event.body, fact.body);
      return isThere ? null : `${fact.type} is relied on at ${seq}, where the log has no such fact`;
    },
    onEvent: ({ log, event }) => {
      if (event.type !== "verdict.given") return null;
      for (const { criterion, status, evidence } of event.body.criteria) {
        const runs = evidence.map((seq) => log.events[seq - 1]);
        const isOwn = runs.every(
          (run) =>
            run?.type === "referee.checked" &&
            run.body.verdict === event.body.number &&
            run.body.criterion === criterion &&
            run.seq < event.seq,
        );
        if (!isOwn) return `verdict ${event.body.number} on ${criterion} points to what is no evidence of it`;
        const passes = new Set(runs.map((run) => run?.type === "referee.checked" && run.body.pass));
        if (status === "met" && passes.size < 2)
          return `${criterion} is met without a look at both trees in verdict ${event.body.number}`;
      }
      return null;
    },
  };
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** What a verdict is about is the newest checkpoint, or the base, and holds the files as the agent has left them. */
export function aVerdictIsAboutACheckpoint(): Invariant {
  return {
    promise: "a-verdict-is-about-a-checkpoint",
    onEvent: (moment) => {
      const { log, event } = moment;
      if (event.type === "verdict.requested") return aboutSomethingElse(moment, event);
      if (event.type !== "verdict.given") return null;
      const requested = newest(log, "verdict.requested");
      return event.body.commit === requested?.body.commit
        ? null
        : `verdict ${event.body.number} is about another commit than was asked for`;
    },
  };
}

function aboutSomethingElse(
  { log, checkouts }: EventMoment,
  { body: { number, commit } }: SessionEvent<"verdict.requested">,
): string | null {
  if (commit !== savedCommit(log)) return `verdict ${number} is about ${commit}, which is not the newest`;
  const kept = checkouts.filesOf(commit);
  if (kept === undefined) return `verdict ${number} is about ${commit}, which does not exist`;
  // What a lost sandbox has left is not what the log says: the next one begins with the commit.
  const { sandbox, workspace } = log.state;
  if (sandbox?.status !== "ready" || workspace?.isStale !== false) return null;
  const { files } = checkouts.current(log.session).workspace;
  const isKept = files.size === kept.size && [...files].every(([path, text]) => kept.get(path) === text);
  return isKept ? null : `verdict ${number} is about ${commit}, and the agent has changed files since`;
}

/** A worker gets no verdict beyond the cap, by whatever is sent or resumed; a person does. */
export function theCapOnVerdictsHolds(): Invariant {
  return {
    promise: "the-cap-on-verdicts-holds",
    onEvent: ({ log, event }) => {
      if (event.type !== "verdict.requested" || event.body.reason === "person") return null;
      const given = newest(log, "verdict.given");
      const cap = contractOf(log)?.body.contract.limits.verdicts ?? 0;
      if (given === undefined || given.body.outcome === "error" || given.body.number < cap) return null;
      return `verdict ${event.body.number} is asked for (${event.body.reason}), and ${cap} were all there were`;
    },
  };
}

/** What a person has denied of what an agent declared is in no verdict that is asked for after that. */
export function aDeniedDeclarationDoesNotCount(): Invariant {
  return {
    promise: "a-denied-declaration-does-not-count",
    onEvent: ({ log, event }) => {
      if (event.type !== "verdict.given") return null;
      const askedAt = newest(log, "verdict.requested")?.seq ?? 0;
      const wrong = event.body.criteria.find(
        ({ criterion, status }) =>
          (status === "impossible" || status === "blocked") && isDenied(log, criterion, askedAt),
      );
      return wrong === undefined
        ? null
        : `verdict ${event.body.number} calls ${wrong.criterion} ${wrong.status}, which a person has denied`;
    },
  };
}

function isDenied({ events }: ObservedLog, criterion: string, before: number): boolean {
  const declared = events.findLast(
    (each) => each.type === "contract.declared" && each.body.criterion === criterion,
  );
  if (declared?.type !== "contract.declared") return false;
  const { body, seq } = declared;
  return events
    .slice(seq, before)
    .some(
      (each) => each.type === "approval.decided" && each.body.result === "deny" && isAbout(each.body, body),
    );
}

/** Once everything rests, whoever was owed a verdict has it. */
export function everyVerdictIsGiven(): Invariant {
  return {
    promise: "every-verdict-is-given",
    atEnd: ({ logs }) => {
      for (const { session, state } of logs) {
        if (state.contract === null || state.phase === "terminated") continue;
        const { making, wanted, preflight, amendment } = state.contract;
        if (making !== null) return `verdict ${making.number} of ${session} was never given`;
        if (wanted !== null) return `${session} rests, and a verdict is wanted (${wanted})`;
        if (preflight === "running") return `${session} rests while its preflight runs`;
        if (amendment !== null) return `the amendment at ${amendment.seq} of ${session} was never made`;
      }
      return null;
    },
  };
}
