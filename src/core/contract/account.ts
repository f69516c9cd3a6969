/**
 * What a log says of a session's contract, gathered for people: what was agreed and changed, what was verified and by
 * what evidence, what people and the agent have said. A fold that reports are made of; nothing is decided by it.
 */
import type { EventBody, SessionEvent } from "../events/index.ts";
import type { Sequence } from "../ids.ts";
import { weakenings } from "./weakenings.ts";

/** An event's body with its place in the log, by which a reader finds it. */
export type Placed<Body> = Body & { readonly seq: Sequence; readonly at: number };

/** What a person has decided; of a change of files, what was looked at. */
export type Approval = Placed<Omit<EventBody<"approval.decided">, "path">> & {
  readonly path: string | null;
  readonly detail: string | null;
  /** When a verdict first asked about it. */
  readonly askedAt: number | null;
};

/** What a gate of the referee has to say, with the event that has it. */
export type Note = Placed<EventBody<"referee.composed">["findings"][number]>;

/** Everything that a report says. */
export interface Account {
  readonly sealed: Placed<EventBody<"contract.sealed">> | null;
  /** In force; null without a contract. */
  readonly contract: EventBody<"contract.sealed">["contract"] | null;
  readonly hash: string;
  /** Each with what it asks less for than the text before it. */
  readonly amendments: readonly (Placed<EventBody<"contract.amended">> & {
    readonly weaker: readonly string[];
  })[];
  readonly waivers: readonly Placed<EventBody<"control.waive">>[];
  readonly declarations: readonly Placed<EventBody<"contract.declared">>[];
  readonly drift: readonly Placed<EventBody<"contract.drifted">>[];
  readonly approvals: readonly Approval[];
  readonly preflight: Placed<EventBody<"preflight.finished">> | null;
  readonly verdicts: readonly Placed<EventBody<"verdict.given">>[];
  /** Evidence of the newest verdict. */
  readonly checks: readonly Placed<EventBody<"referee.checked">>[];
  readonly grades: readonly Placed<EventBody<"judge.graded">>[];
  /** What the newest verdict's gates have noted without deciding anything by it. */
  readonly notes: readonly Note[];
  /** What the agent said last. */
  readonly lastWords: string;
}

const NOTHING: Account = {
  sealed: null,
  contract: null,
  hash: "",
  amendments: [],
  waivers: [],
  declarations: [],
  drift: [],
  approvals: [],
  preflight: null,
  verdicts: [],
  checks: [],
  grades: [],
  notes: [],
  lastWords: "",
};

/** Types that an account is made of; a reader needs no others. */
export const ACCOUNT_TYPES: readonly string[] = [
  "contract.sealed",
  "contract.amended",
  "contract.declared",
  "contract.drifted",
  "control.waive",
  "approval.decided",
  "preflight.finished",
  "verdict.requested",
  "verdict.given",
  "referee.composed",
  "referee.checked",
  "referee.ratcheted",
  "judge.graded",
  "agent.message",
];

/** The account of a log. @param before - of what came before these events */
export function accountOf(events: Iterable<SessionEvent>, before: Account = NOTHING): Account {
  let account = before;
  for (const event of events) account = { ...account, ...news(account, event) };
  return account;
}

function news(account: Account, event: SessionEvent): Partial<Account> {
  switch (event.type) {
    case "contract.sealed":
      return { sealed: placed(event), contract: event.body.contract, hash: event.body.hash };
    case "contract.amended":
      return {
        amendments: [...account.amendments, { ...placed(event), weaker: weakerBy(account, event) }],
        contract: event.body.contract,
        hash: event.body.hash,
      };
    case "contract.declared":
      return { declarations: [...account.declarations, placed(event)] };
    case "contract.drifted":
      return { drift: [...account.drift, placed(event)] };
    case "control.waive":
      return { waivers: [...account.waivers, placed(event)] };
    case "approval.decided":
      return { approvals: [...account.approvals, approvalOf(account, event)] };
    case "preflight.finished":
      return { preflight: placed(event) };
    case "verdict.requested":
      return { checks: [], grades: [], notes: [] };
    case "verdict.given":
      return { verdicts: [...account.verdicts, placed(event)] };
    case "referee.composed":
    case "referee.ratcheted":
      return { notes: [...account.notes, ...notesOf(event)] };
    case "referee.checked":
      return { checks: [...account.checks, placed(event)] };
    case "judge.graded":
      return { grades: [...account.grades, placed(event)] };
    case "agent.message":
      return {
        lastWords: event.body.content.map(({ text }) => (typeof text === "string" ? text : "")).join("\n"),
      };
    default:
      return {};
  }
}

/** The decision names a hash; the verdict that asked says what it stands for. */
function approvalOf({ verdicts }: Account, event: SessionEvent<"approval.decided">): Approval {
  const asked = verdicts.flatMap(({ review, at }) =>
    review
      .filter(({ item, hash }) => item === event.body.item && hash === event.body.hash)
      .map((each) => ({ ...each, askedAt: at })),
  );
  const { path = null, detail = null } = asked.at(-1) ?? {};
  return { ...placed(event), path, detail, askedAt: asked[0]?.askedAt ?? null };
}

function notesOf({
  body: { findings },
  seq,
  at,
}: SessionEvent<"referee.composed"> | SessionEvent<"referee.ratcheted">): Note[] {
  return findings.filter(({ effect }) => effect === "note").map((finding) => ({ ...finding, seq, at }));
}

function weakerBy({ contract }: Account, { body }: SessionEvent<"contract.amended">): readonly string[] {
  return contract === null ? [] : weakenings(contract, body.contract);
}

function placed<Body extends object>({
  body,
  seq,
  at,
}: {
  body: Body;
  seq: Sequence;
  at: number;
}): Placed<Body> {
  return { ...body, seq, at };
}
