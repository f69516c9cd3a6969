/** The report of a session in Markdown: what was verified and what was not, each line with its place in the log. */
import type { Account } from "../../core/contract/account.ts";
import { commandText } from "../../core/contract/tell.ts";
import type { SessionState } from "../../core/state.ts";
import type { ChangedFile } from "../../workspace/contract.ts";
import { spentText } from "../session-facts.ts";
import { stopText } from "./event-lines.ts";
import { formatDuration } from "./format.ts";
import { singleLine, truncate } from "./text.ts";

/** What a report is made of. */
export interface ReportSource {
  readonly state: SessionState;
  readonly account: Account;
  /** `seq:hash` of the log's end. */
  readonly head: string;
  /** Against the base. */
  readonly changed: readonly ChangedFile[];
}

const TEXT_LENGTH_MAX = 300;
const FILES_MAX = 200;

/** Files that a person's own machine runs when it only opens, installs or commits in a checkout. */
const EXECUTING: readonly RegExp[] = [
  /(^|\/)\.(husky|githooks|git-hooks)\//,
  /(^|\/)(\.envrc|\.pre-commit-config\.ya?ml|Makefile|justfile|Rakefile|setup\.py|conftest\.py)$/,
  /(^|\/)\.(vscode|idea|devcontainer|claude|codex|cursor|github|gitlab)\//,
  /(^|\/)(package\.json|\.npmrc|\.yarnrc(\.yml)?|\.pnpmfile\.cjs|CLAUDE\.md|AGENTS\.md)$/,
  /\.(sh|bash|zsh|fish|ps1|bat|cmd)$/,
];

/** Lines without control characters, which can be shown or kept as a file. */
export function reportLines(source: ReportSource): string[] {
  const { state, account, head } = source;
  const { given } = state.contract ?? {};
  return [
    `# ${text(state.config?.title ?? state.sessionId)}`,
    "",
    `- session: ${state.sessionId}`,
    `- ends as: ${state.stopReason === null ? "not ended" : stopText(state.stopReason)}`,
    ...(given == null ? [] : [`- commit: ${given.commit}`]),
    `- spent: ${spentText(state)}`,
    `- log: ${head}`,
    ...executing(source),
    ...criteria(account),
    ...gaps(account),
    ...people(account),
    ...base(account),
    ...files(source),
    ...claims(account),
  ];
}

/** What may act on whoever checks the branch out comes first. */
function executing({ changed }: ReportSource): string[] {
  const risky = changed.filter(
    ({ path, change, isExecutable }) =>
      change !== "deleted" && (isExecutable || EXECUTING.some((pattern) => pattern.test(path))),
  );
  if (risky.length === 0) return [];
  return section(
    "Changed files that may run on your machine",
    risky.slice(0, FILES_MAX).map(({ path, change }) => `- \`${text(path)}\` (${change})`),
  );
}

function criteria({ contract, hash, verdicts, checks, grades }: Account): string[] {
  if (contract === null) return section("Criteria", ["- none: nobody has verified anything"]);
  const verdict = verdicts.at(-1);
  const lines = contract.criteria.flatMap(({ id, description, check }) => {
    const found = verdict?.criteria.find(({ criterion }) => criterion === id);
    const strength = found?.strength == null ? "" : ` (${found.strength})`;
    return [
      `- **${id}**: ${found?.status ?? "not judged"}${strength}. ${text(description)}`,
      ...(check === null ? [] : [`  - check: \`${text(commandText(check))}\``]),
      ...(found === undefined ? [] : [`  - ${text(found.reason)}`]),
      ...checks
        .filter(({ criterion }) => criterion === id)
        .map(
          ({ pass, status, run, output_hash, seq }) =>
            `  - pass ${pass}: ${status}, exit ${run.exit_code ?? "none"}, ${formatDuration(run.duration_ms)}, output ${output_hash.slice(0, 12)}, event ${seq}`,
        ),
      ...grades
        .filter(({ criterion }) => criterion === id)
        .map(({ model, status, seq }) => `  - judge ${text(model)}: ${status}, event ${seq}`),
    ];
  });
  const about =
    verdict === undefined
      ? "No verdict was given."
      : `Verdict ${verdict.number}: ${verdict.outcome}, on tree ${verdict.tree_b?.slice(0, 12) ?? "none"}, contract ${hash.slice(0, 12)}, event ${verdict.seq}. ${verdicts.length} given in all.`;
  return section("Criteria", [about, "", ...lines]);
}

function gaps({ verdicts }: Account): string[] {
  const lines = verdicts.at(-1)?.gaps ?? [];
  return lines.length === 0
    ? []
    : section(
        "What this does not show",
        lines.map((gap) => `- ${text(gap)}`),
      );
}

function people({ amendments, waivers, declarations, approvals, drift, verdicts }: Account): string[] {
  const open = verdicts.at(-1)?.review ?? [];
  const lines = [
    ...amendments.map(
      ({ author, reason, seq }) => `- amended by ${text(author)}: ${text(reason)} (event ${seq})`,
    ),
    ...waivers.map(
      ({ criterion, owner, reason, expires_at, seq }) =>
        `- ${criterion} waived by ${text(owner)} until ${new Date(expires_at).toISOString()}: ${text(reason)} (event ${seq})`,
    ),
    ...declarations.map(
      ({ criterion, status, reason, seq }) =>
        `- the agent: ${criterion} is ${status}: ${text(reason)} (event ${seq})`,
    ),
    ...approvals.map(
      ({ result, item, author, seq }) => `- ${result}: ${text(item)}, by ${text(author)} (event ${seq})`,
    ),
    ...open.map(({ path, detail }) => `- to be looked at: \`${text(path)}\`: ${text(detail)}`),
    ...drift.map(
      ({ path, seq }) =>
        `- the agent changed its copy \`${text(path)}\`; that changed nothing (event ${seq})`,
    ),
  ];
  return lines.length === 0 ? [] : section("What people and the agent have said of the contract", lines);
}

function base({ preflight }: Account): string[] {
  if (preflight === null) return [];
  const lines = preflight.criteria.map(({ criterion, status, role, failing, exempt, unstable }) => {
    const left = countIds(exempt);
    return `- ${criterion}: ${status}, to be ${role === "earn" ? "earned" : "kept"}; ${countIds(failing)} tests fail, ${left} are not asked for, ${unstable} have no stable name`;
  });
  const problems = preflight.problems.map(({ code, message }) => `- ${code}: ${text(message)}`);
  return section(`The base ${preflight.commit.slice(0, 12)}, event ${preflight.seq}`, [
    ...lines,
    ...problems,
  ]);
}

function countIds(ids: unknown): number {
  return typeof ids === "string" && ids !== "" ? ids.split("\n").length : 0;
}

function files({ changed }: ReportSource): string[] {
  if (changed.length === 0) return section("Files", ["- none changed"]);
  const more = changed.length > FILES_MAX ? [`- and ${changed.length - FILES_MAX} more`] : [];
  const lines = changed
    .slice(0, FILES_MAX)
    .map(
      ({ path, change, added, removed }) =>
        `- \`${text(path)}\` ${change}, +${added ?? "?"} -${removed ?? "?"}`,
    );
  return section(`Files, ${changed.length} changed`, [...lines, ...more]);
}

/** What the agent said last, beside what was found: two columns that a reader compares. */
function claims({ lastWords, verdicts }: Account): string[] {
  if (lastWords.trim() === "") return [];
  const found = verdicts.at(-1)?.outcome ?? "nothing was verified";
  return section("Said and found", [`- said: "${text(lastWords)}"`, `- found: ${found}`]);
}

function section(title: string, lines: readonly string[]): string[] {
  return ["", `## ${title}`, "", ...lines];
}

/** Of whoever wrote it: one line, no control characters, nothing that a reader of Markdown or HTML would act on. */
function text(raw: string): string {
  const escaped = singleLine(raw).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll("`", "'");
  return truncate(escaped, TEXT_LENGTH_MAX);
}
