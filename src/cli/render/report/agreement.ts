/** What was agreed and what was found of it. */
import type { Account, Approval, Placed } from "../../../core/contract/account.ts";
import { declaredCriterion } from "../../../core/contract/declaration.ts";
import { commandText } from "../../../core/contract/tell.ts";
import type { EventBody } from "../../../core/events/index.ts";
import { paceOf } from "../../../core/report/pace.ts";
import { formatCost, formatCount, formatDuration, formatQuantity } from "../format.ts";
import { type Form, firstOf, type Item, type Section } from "./document.ts";
import type { ReportSource } from "./source.ts";

const CRITERIA_MAX = 40;
const PEOPLE_MAX = 20;
const GAPS_MAX = 20;
const NOTES_MAX = 10;
/** Of one amendment. */
const WEAKER_MAX = 10;

type Criterion = NonNullable<Account["contract"]>["criteria"][number];
type Verdict = Placed<EventBody<"verdict.given">>;

/** What is met, what is not, and what waits or was put off, each with its evidence. */
export function criteriaSections(source: ReportSource, form: Form): Section[] {
  const { contract, verdicts, hash } = source.account;
  if (contract === null) return [{ title: "Criteria", items: ["none: nobody has verified anything"] }];
  const verdict = verdicts.at(-1);
  const about =
    verdict === undefined
      ? "No verdict was given."
      : `Verdict ${verdict.number}: ${verdict.outcome}, on tree ${verdict.tree_b?.slice(0, 12) ?? "none"}, contract ${hash.slice(0, 12)}, event ${verdict.seq}. ${verdicts.length} given in all.`;
  const statusOf = (criterion: Criterion): string =>
    verdict?.criteria.find((each) => each.criterion === criterion.id)?.status ?? "not judged";
  const groups = [
    ["Verified", (status: string) => status === "met"],
    ["Not met", (status: string) => status === "unmet"],
    ["Could not be checked", (status: string) => status === "error"],
    ["Parked", (status: string) => !["met", "unmet", "error"].includes(status)],
  ] as const;
  const sections = groups.flatMap(([title, fits]): Section[] => {
    const criteria = contract.criteria.filter((each) => fits(statusOf(each)));
    if (criteria.length === 0) return [];
    const show = (each: Criterion): Item => criterionItem(source, each, verdict, form);
    const items = firstOf(criteria, CRITERIA_MAX, show, "nightshift status --json");
    return [{ title: `${title}: ${criteria.length} of ${contract.criteria.length}`, items }];
  });
  return [{ title: "Criteria", about, items: [] }, ...sections];
}

function criterionItem(
  { account, work }: ReportSource,
  { id, description, check }: Criterion,
  verdict: Verdict | undefined,
  form: Form,
): Item {
  const found = verdict?.criteria.find(({ criterion }) => criterion === id);
  const strength = found?.strength == null ? "" : ` (${found.strength})`;
  const first = work.firstMet.find(({ criterion }) => criterion === id);
  const spent = work.spendOn[id];
  const cost = spent === undefined ? "" : costText(spent);
  return {
    text: `${form.strong(id)}: ${found?.status ?? "not judged"}${strength}. ${form.foreign(description)}`,
    more: [
      ...(check === null ? [] : [`check: ${form.code(commandText(check))}`]),
      ...(found === undefined ? [] : [form.foreign(found.reason)]),
      ...evidenceOf(account, id, form),
      ...(first === undefined
        ? []
        : [`first met by commit ${first.commit.slice(0, 12)}, verdict ${first.verdict}, event ${first.seq}`]),
      ...(cost === "" ? [] : [`cost: ${cost}`]),
    ],
  };
}

function costText({ requests, tokens, costMicroUsd }: ReportSource["work"]["spend"]): string {
  const money = costMicroUsd === 0 ? "" : `, ${formatCost(costMicroUsd)}`;
  return `${formatCount(requests)} requests, ${formatCount(tokens)} tokens${money}`;
}

function evidenceOf({ checks, grades }: Account, id: string, form: Form): string[] {
  return [
    ...checks
      .filter(({ criterion }) => criterion === id)
      .map(
        ({ pass, status, run, output_hash, seq }) =>
          `pass ${pass}: ${status}, exit ${run.exit_code ?? "none"}, ${formatDuration(run.duration_ms)}, output ${output_hash.slice(0, 12)}, event ${seq}`,
      ),
    ...grades
      .filter(({ criterion }) => criterion === id)
      .map(({ model, status, seq }) => `judge ${form.foreign(model)}: ${status}, event ${seq}`),
  ];
}

/** What the newest verdict itself says that it does not show. */
export function gapsSection({ account }: ReportSource, form: Form): Section {
  const gaps = account.verdicts.at(-1)?.gaps ?? [];
  const show = (gap: string): string => form.foreign(gap);
  return { title: "What this does not show", items: firstOf(gaps, GAPS_MAX, show, "nightshift verify") };
}

/** What the referee saw and did not decide by. */
export function notesSection({ account: { notes } }: ReportSource, form: Form): Section {
  const show = ({ path, gate, detail, seq }: Account["notes"][number]): string =>
    `${form.code(path)}: ${form.foreign(detail)} (${gate}, event ${seq})`;
  const rest = "nightshift events --types referee.composed,referee.ratcheted";
  return {
    title: "Noted by the referee, not held against the work",
    items: firstOf(notes, NOTES_MAX, show, rest),
  };
}

/** Decisions of people, and what the agent has said of the contract. */
export function agreedSection({ account, work }: ReportSource, form: Form): Section {
  const { amendments, waivers, declarations, approvals, drift } = account;
  const f = form.foreign;
  const lines: (string | Item)[] = [
    ...amendments.map((each): Item => amendmentItem(each, f)),
    ...waivers.map(
      ({ criterion, owner, reason, expires_at, seq }) =>
        `${criterion} waived by ${f(owner)} until ${new Date(expires_at).toISOString()}: ${f(reason)} (event ${seq})`,
    ),
    ...declarations.map(
      ({ criterion, status, reason, evidence, seq }): Item => ({
        text: `the agent: ${criterion} is ${status}: ${f(reason)} (event ${seq})`,
        more: evidence === "" ? [] : [`its evidence: ${evidenceText(evidence, form)}`],
      }),
    ),
    ...paceLines(approvals),
    ...approvals.map((approval) => approvalItem(approval, form)),
    ...work.questions
      .filter(({ isOpen }) => !isOpen)
      .map(({ text, answer, author, seq }) => {
        const by = author === null ? "nobody answered" : `${f(author)} answered`;
        return `asked: ${f(text)}: ${by}${answer === null ? "" : `: ${f(answer)}`} (event ${seq})`;
      }),
    ...drift.map(
      ({ path, seq }) => `the agent changed its copy ${form.code(path)}; that changed nothing (event ${seq})`,
    ),
  ];
  const title = "What people and the agent have said of the contract";
  return { title, items: firstOf(lines, PEOPLE_MAX, (line) => line, "nightshift events --types ...") };
}

/** So that a habit can be seen. */
function paceLines(approvals: Account["approvals"]): string[] {
  const pace = paceOf(approvals);
  if (pace === null) return [];
  const { count, mostInAnHour, medianMs } = pace;
  return [
    `${count} decisions about changes, at most ${mostInAnHour} of them in an hour; half of them took no more than ${formatDuration(medianMs)} each`,
  ];
}

/** With what it asks less for than the text before it. */
function amendmentItem(
  { author, reason, weaker, seq }: Account["amendments"][number],
  foreign: Form["foreign"],
): Item {
  return {
    text: `amended by ${foreign(author)}: ${foreign(reason)} (event ${seq})`,
    more: [
      ...weaker.slice(0, WEAKER_MAX).map((line) => `weaker: ${foreign(line)}`),
      ...(weaker.length > WEAKER_MAX ? [`and ${weaker.length - WEAKER_MAX} more: nightshift events`] : []),
    ],
  };
}

/** What was decided about, in the words of whoever asked; a name says nothing to a reader. */
function approvalItem({ result, item, path, detail, hash, author, reason, seq }: Approval, form: Form): Item {
  const declared = declaredCriterion(item);
  const because = reason === undefined ? "" : `: ${form.foreign(reason)}`;
  if (declared !== null && result === "deny") {
    const what = `denied that ${form.foreign(declared)} cannot be met`;
    return { text: `${what}, by ${form.foreign(author)}${because} (event ${seq})`, more: [] };
  }
  const done = result === "approve" ? "approved" : "denied";
  const about = path === null ? `${form.foreign(item)} ${hash.slice(0, 12)}` : form.code(path);
  return {
    text: `${done} by ${form.foreign(author)}: ${about}${because} (event ${seq})`,
    more: detail === null ? [] : detail.split("\n").map((line) => form.foreign(line)),
  };
}

function evidenceText(evidence: Account["declarations"][number]["evidence"], form: Form): string {
  return typeof evidence === "string" ? form.foreign(evidence) : "too long to be shown here";
}

/** What was so before any work. */
export function baseSection({ account: { preflight } }: ReportSource, form: Form): Section {
  if (preflight === null) return { title: "The base", items: [] };
  const lines = preflight.criteria.map(({ criterion, status, role, failing, exempt, unstable }) => {
    const failed = countIds(failing);
    const tests = [
      `${formatQuantity(failed, "test")} ${failed === 1 ? "fails" : "fail"}`,
      `${countIds(exempt)} not asked for`,
      `${unstable} without a stable name`,
    ].join(", ");
    return `${criterion}: ${status}, to be ${role === "earn" ? "earned" : "kept"}; ${tests}`;
  });
  const problems = preflight.problems.map(({ code, message }) => `${code}: ${form.foreign(message)}`);
  return {
    title: `The base ${preflight.commit.slice(0, 12)}, event ${preflight.seq}`,
    items: firstOf([...lines, ...problems], CRITERIA_MAX, (line) => line, "nightshift events"),
  };
}

function countIds(ids: unknown): number {
  return typeof ids === "string" && ids !== "" ? ids.split("\n").length : 0;
}
