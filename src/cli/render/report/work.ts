/** How the work went: what it cost, what is open, what was claimed, what was recovered from, and what may come next. */
import {
  type ClaimAccount,
  isContradicted,
  type Mention,
  type Mentions,
  type QuestionAccount,
} from "../../../core/report/work.ts";
import type { SessionState } from "../../../core/state.ts";
import { afterStop } from "../../standing.ts";
import { formatCost, formatCount, formatDuration, formatQuantity } from "../format.ts";
import { type Form, firstOf, type Item, type Section } from "./document.ts";
import type { ReportSource } from "./source.ts";

const OPEN_MAX = 20;
const CLAIMS_MAX = 10;
const DECISIONS_MAX = 10;
const RECOVERIES_MAX = 5;
const SPEND_MAX = 30;

/** What waits for a person. */
export function openSection({ state, account, work }: ReportSource, form: Form): Section {
  const id = state.sessionId;
  const decided = new Set(state.contract?.decisions.map(({ hash }) => hash));
  const looks = (account.verdicts.at(-1)?.review ?? [])
    .filter(({ hash }) => !decided.has(hash))
    .map(
      ({ path, detail }) =>
        `to be looked at: ${form.code(path)}: ${form.foreign(detail)} (${form.code(`nightshift approve ${id} <path>`)}, or ${form.code("deny")})`,
    );
  const asked = (each: QuestionAccount): string =>
    `the agent asks: ${form.foreign(each.text)} (event ${each.seq}; ${form.code(`nightshift answer ${each.question}`)})`;
  const questions = work.questions.filter(({ isOpen }) => isOpen).map(asked);
  const lines = [...looks, ...questions];
  return { title: "Open", items: firstOf(lines, OPEN_MAX, (line) => line, `nightshift inbox ${id}`) };
}

/** Said and found, side by side: what the log does not bear out comes first. */
export function claimsSection({ account, work }: ReportSource, form: Form): Section {
  const wrong = work.claims.filter(isContradicted);
  const { claimCount, contradictedCount } = work;
  const found = account.verdicts.at(-1)?.outcome ?? "nothing was verified";
  const last = account.lastWords.trim();
  const show = (claim: ClaimAccount): Item => ({
    text: `said: "${form.foreign(claim.quote)}" (event ${claim.seq})`,
    more: foundOf(claim),
  });
  const more = "nightshift events --types agent.message,verdict.given";
  return {
    title: "Said and found",
    items: [
      ...(last === "" ? [] : [`said last: "${form.foreign(last)}"`, `found: ${found}`]),
      ...(claimCount === 0
        ? []
        : [
            `${formatQuantity(claimCount, "claim")} of success: ${contradictedCount} not borne out, ${claimCount - contradictedCount} borne out`,
          ]),
      ...firstOf(wrong.toReversed(), CLAIMS_MAX, show, more, contradictedCount),
    ],
  };
}

/** What the agent says that it has decided, the newest first. */
export function decisionsSection({ work }: ReportSource, form: Form): Section {
  const { count, newest } = work.decisions;
  const show = ({ text, seq }: Mention): string => `decided: ${form.foreign(text)} (event ${seq})`;
  const rest = "nightshift events --types handoff.noted";
  return {
    title: "What the agent has decided",
    items: firstOf(newest.toReversed(), DECISIONS_MAX, show, rest, count),
  };
}

function foundOf({ run, verdict, kind }: ClaimAccount): string[] {
  const own =
    run === null
      ? kind === "tests_pass"
        ? ["the agent had run no check"]
        : []
      : [`its own last run of a check ended with ${run.exitCode ?? "no exit code"} (event ${run.seq})`];
  const given =
    verdict === null
      ? "no verdict was given after it"
      : `verdict ${verdict.number} said ${verdict.outcome} (event ${verdict.seq})`;
  return [...own, given];
}

/** By criterion, with what never told its usage. */
export function spendSection({ state, work }: ReportSource, form: Form): Section {
  const { spend, spendOn } = work;
  if (spend.requests === 0) return { title: "Cost", items: [] };
  const isPriced = state.config?.agent.model.price !== undefined;
  const text = (some: typeof spend): string =>
    `${requestsText(some)}, ${formatCount(some.tokens)} tokens${isPriced ? `, ${formatCost(some.costMicroUsd)}` : ""}`;
  const names = Object.keys(spendOn);
  const met = work.firstMet.length;
  const perMet =
    isPriced && met > 0 ? [`${formatCost(spend.costMicroUsd / met)} per criterion that was met`] : [];
  const unsettled =
    spend.unsettled === 0
      ? []
      : [
          `of that ${formatCount(spend.unsettledTokens)} tokens${isPriced ? ` and ${formatCost(spend.unsettledCostMicroUsd)}` : ""} are reserved by ${formatQuantity(spend.unsettled, "request")} that never told the usage; they stay charged`,
        ];
  const byName = names.length > 1 || names[0] !== "" ? names : [];
  const show = (name: string): string =>
    `${name === "" ? "on no criterion" : form.strong(name)}: ${text(spendOn[name] ?? spend)}`;
  return {
    title: "Cost",
    items: [
      `in all: ${text(spend)}`,
      ...unsettled,
      ...perMet,
      ...firstOf(byName, SPEND_MAX, show, "nightshift report --json"),
    ],
  };
}

function requestsText({ requests, judgeRequests }: ReportSource["work"]["spend"]): string {
  const judge = judgeRequests === 0 ? "" : ` and ${judgeRequests} of the judge`;
  return `${formatQuantity(requests - judgeRequests, "request")}${judge}`;
}

/** What was lost and carried on from; nothing of it changes what was verified. */
export function recoveriesSection({ work, state }: ReportSource, form: Form): Section {
  const { wakes, lostRequests, failedRequests, lostSandboxes, inDoubt, stops, suspendedMs, lostRuns } = work;
  const events = `nightshift events ${state.sessionId}`;
  const told = (what: string, { count, newest }: Mentions): Item[] =>
    count === 0
      ? []
      : [
          {
            text: `${what}: ${count}`,
            more: [
              ...newest.slice(-RECOVERIES_MAX).map(({ seq, text }) => `event ${seq}: ${form.foreign(text)}`),
              ...(count > RECOVERIES_MAX
                ? [`and ${count - RECOVERIES_MAX} earlier: ${form.code(events)}`]
                : []),
            ],
          },
        ];
  return {
    title: "Interruptions",
    items: [
      ...told("taken up by another process", wakes),
      ...told("sandboxes lost", lostSandboxes),
      ...(lostRuns === 0
        ? []
        : [`runs whose changes went with a sandbox, and were told to the agent: ${lostRuns}`]),
      ...told("commands whose outcome was unknown", inDoubt),
      ...told("attempts whose program failed", work.failedAttempts),
      ...told("model requests lost, sent again and charged twice", lostRequests),
      ...told("model requests failed", failedRequests),
      ...told("caps and breakers", stops),
      ...(suspendedMs === 0 ? [] : [`the machine slept: ${formatDuration(suspendedMs)}`]),
    ],
  };
}

/** May somebody start another run now? */
export function nextSection({ state, head }: ReportSource, form: Form): Section {
  const open = stillOpen(state);
  const id = state.sessionId;
  const isVerified = state.branch?.published?.verdict != null;
  const next = state.contract?.amendment != null ? "resume" : isVerified ? "apply" : "diff";
  const onward = next === "diff" ? onwardFrom(state) : null;
  return {
    title: "Next",
    items: [
      open.length === 0
        ? "another run is safe: nothing of this one is at work, in doubt or half done"
        : { text: "before another run:", more: open },
      form.code(`nightshift ${next} ${id}`),
      ...(onward === null ? [] : [form.code(`nightshift ${onward}`)]),
      {
        text: `keep the head: with it ${form.code(`nightshift fsck ${id} --head`)} shows forgery, too`,
        whole: [head],
      },
    ],
  };
}

/** The command that works on; null where a person is asked, or has only to say more. */
function onwardFrom({ sessionId, stopReason, hold }: SessionState): string | null {
  if (stopReason === null) return null;
  if (stopReason.type === "unmet") return `retry ${sessionId}`;
  const isAsked = stopReason.type === "requires_action" || stopReason.type === "review";
  return hold === null || isAsked ? null : afterStop(sessionId, stopReason).join(" ");
}

function stillOpen({ phase, calls, sandbox, branch, contract, stopReason }: SessionState): string[] {
  const doubtful = calls
    .filter(({ status }) => status === "in_doubt")
    .map(({ call, name }) => `${name} (${call})`);
  return [
    ...(phase === "running"
      ? ["this session is still at work, or its process is gone: nightshift resume"]
      : []),
    ...(doubtful.length === 0 ? [] : [`nobody knows whether these happened: ${doubtful.join(", ")}`]),
    ...(sandbox !== null && phase !== "running" ? ["its sandbox is still there, for its grace period"] : []),
    ...((branch?.wanted ?? null) === null ? [] : ["its branch is not made yet: nightshift resume"]),
    ...(contract?.making == null ? [] : [`verdict ${contract.making.number} is in the making`]),
    ...(stopReason?.type === "requires_action" || stopReason?.type === "review"
      ? ["a person is asked: nightshift inbox"]
      : []),
  ];
}
