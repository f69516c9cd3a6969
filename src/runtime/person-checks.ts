/** Answers that would change nothing are refused at the door, so that a person does not take them for given. */
import { type RetryRefusal, retryRefusal } from "../core/attempt/retry.ts";
import type { Contract } from "../core/contract/contract.ts";
import { declaredCriterion, isAbout } from "../core/contract/declaration.ts";
import { VERDICT_CAP } from "../core/contract/verdict-cap.ts";
import { NightshiftError } from "../core/errors.ts";
import type { ClientEventInput, EventBody, EventInput } from "../core/events/index.ts";
import type { Redactor } from "../core/seal.ts";
import type { SessionState } from "../core/state.ts";
import type { Store } from "../store/contract.ts";
import { checkKept } from "./kept-contract.ts";

const PAGE = 500;

/**
 * Courtesy only: what races past it changes nothing in the log.
 * @throws NightshiftError `E_QUESTION_UNKNOWN`, `E_QUESTION_CLOSED`, `E_APPROVAL_STALE`, `E_USAGE` for a declaration that
 * would be approved
 */
export async function checkAnswers(
  store: Store,
  state: SessionState,
  inputs: readonly ClientEventInput[],
): Promise<void> {
  for (const input of inputs) {
    if (input.type === "question.answered") await checkQuestion(store, state, input.body.question);
    if (input.type === "user.tool_confirmation") checkApproval(state, input.body);
    if (input.type === "approval.decided") checkDeclaration(state, input.body);
  }
}

async function checkQuestion(store: Store, state: SessionState, name: string): Promise<void> {
  const known = state.people.questions.find(({ question }) => question === name);
  if (known?.answer === null) return;
  const { sessionId } = state;
  if (known === undefined && !(await wasAsked(store, state, name)))
    throw new NightshiftError("E_QUESTION_UNKNOWN", `${sessionId} has never asked a question ${name}`);
  throw new NightshiftError(
    "E_QUESTION_CLOSED",
    `${name} of ${sessionId} is answered, or its time was over, or it was taken back`,
  );
}

async function wasAsked(store: Store, { sessionId }: SessionState, name: string): Promise<boolean> {
  for (let after = 0; ; ) {
    const page = await store.getEvents(sessionId, { after, limit: PAGE, types: ["question.asked"] });
    if (page.some(({ type, body }) => type === "question.asked" && body.question === name)) return true;
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) return false;
    after = last.seq;
  }
}

function checkApproval(
  { people, sessionId }: SessionState,
  { call, hash }: { readonly call: string; readonly hash?: string | undefined },
): void {
  if (hash === undefined) return;
  const asked = people.approvals.find((each) => each.call === call);
  if (asked !== undefined && !asked.isStale && asked.hash === hash) return;
  throw new NightshiftError("E_APPROVAL_STALE", `${sessionId} does not ask about that ${call} (any more)`);
}

/** To agree that a criterion cannot be met is to answer for its absence, so it takes a waiver with owner and expiry. */
function checkDeclaration(
  { contract, sessionId }: SessionState,
  decision: EventBody<"approval.decided">,
): void {
  const criterion = declaredCriterion(decision.item);
  if (criterion === null || contract?.review.some(({ hash }) => hash === decision.hash) === true) return;
  const meant = contract?.declared.some((each) => isAbout(decision, each)) === true;
  if (!meant)
    throw new NightshiftError(
      "E_APPROVAL_STALE",
      `what was looked at of ${criterion} is not what the agent of ${sessionId} declares (any more)`,
    );
  if (decision.result === "deny") return;
  throw new NightshiftError("E_USAGE", `that ${criterion} cannot be met is not approved: it is waived`, {
    hint: `Run \`nightshift waive ${sessionId} ${criterion} --reason "..."\`.`,
  });
}

/**
 * Whoever sends it: what the linter refuses is no contract to work under.
 * @throws NightshiftError `E_CONTRACT_INVALID`
 */
export async function checkAmendments(
  inputs: readonly ClientEventInput[],
  redactor: Redactor,
): Promise<void> {
  for (const input of inputs) {
    if (input.type !== "control.amend_contract") continue;
    await checkContract(input.body.contract);
    checkKept(input, redactor);
  }
}

/**
 * What a session begins with: a text that the linter takes, under its own hash.
 * @throws NightshiftError `E_CONTRACT_INVALID`
 */
export async function checkSealed(inputs: readonly EventInput[], redactor: Redactor): Promise<void> {
  for (const input of inputs) {
    if (input.type !== "contract.sealed") continue;
    await checkContract(input.body.contract);
    checkKept(input, redactor);
  }
}

async function checkContract(contract: Contract): Promise<void> {
  const { isRefusal, lintContract } = await import("../core/contract/lint.ts");
  const complaints = lintContract(contract);
  if (!complaints.some(isRefusal)) return;
  const { refusalOf } = await import("../planning/contract-source.ts");
  throw refusalOf(complaints);
}

/** What is said of each refusal, and the command that helps instead. */
const RETRY_REFUSALS: {
  readonly [refusal in RetryRefusal | "no-verdict"]: (id: string) => {
    readonly why: string;
    readonly hint: string;
  };
} = {
  "not-begun": (id) => ({
    why: `${id} has begun no attempt yet`,
    hint: `Begin with \`nightshift resume ${id}\`.`,
  }),
  "at-work": (id) => ({
    why: `the program of ${id} is at work, and its next attempt is a fresh one anyway`,
    hint: `End this one with \`nightshift stop ${id}\`; then run \`nightshift retry ${id}\`.`,
  }),
  asked: (id) => ({
    why: `${id} waits for a person, and would go on waiting`,
    hint: `See what it asks with \`nightshift inbox ${id}\`.`,
  }),
  verified: (id) => ({
    why: `${id} is verified; there is nothing to try again`,
    hint: `Take it with \`nightshift apply ${id}\`, or ask for more with \`nightshift send ${id} "..."\`.`,
  }),
  capped: (id) => ({
    why: `${id} has reached a cap, which a new attempt would reach as well`,
    hint: `Raise it with \`nightshift budget ${id}\` and the cap's flag; then run \`nightshift retry ${id}\`.`,
  }),
  "no-verdict": (id) => ({
    why: `${id} has had all its verdicts, and nobody would judge a new attempt`,
    hint: `Grant more with \`nightshift amend ${id} --max-verdicts ... --reason "..."\`; then run \`nightshift resume ${id}\`.`,
  }),
};

function isOfVerdicts({ hold, stopReason }: SessionState): boolean {
  return hold === "budget_reached" && stopReason?.type === "budget_reached" && stopReason.cap === VERDICT_CAP;
}

/**
 * Caps that are raised together with it no longer stand in its way.
 * @throws NightshiftError `E_RETRY_REFUSED`
 */
export function checkRetry(state: SessionState, inputs: readonly ClientEventInput[]): void {
  if (!inputs.some(({ type }) => type === "control.retry")) return;
  const refusal = retryRefusal(state);
  const isRaised = inputs.some(({ type }) => type === "control.set_limits");
  if (refusal === null || (refusal === "capped" && isRaised)) return;
  const { why, hint } = RETRY_REFUSALS[refusal === "capped" && isOfVerdicts(state) ? "no-verdict" : refusal](
    state.sessionId,
  );
  throw new NightshiftError("E_RETRY_REFUSED", why, { hint });
}
