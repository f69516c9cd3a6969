/** `inbox` and `answer`: what waits for a person, and what they say to a question. */
import { createInterface } from "node:readline/promises";
import { NightshiftError } from "../../core/errors.ts";
import { event } from "../../core/events/index.ts";
import type { SessionId } from "../../core/ids.ts";
import type { SessionState } from "../../core/state.ts";
import { loadState } from "../../runtime/load.ts";
import type { OpenHarness } from "../../runtime/open.ts";
import type { SessionRecord } from "../../store/contract.ts";
import { type CommandContext, commandLine, findSession, withHarness } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { type InboxEntry, inboxEntries } from "../inbox-groups.ts";
import { damageItem, type InboxItem, inboxItems, type OpenQuestion, questionsOf } from "../inbox-items.ts";
import { formatDuration, formatMoment } from "../render/format.ts";
import { singleLine, truncate, wrap } from "../render/text.ts";
import { textOf } from "../said.ts";
import { unlessDamaged } from "../session-facts.ts";
import { personOf, type SendFlags, submit } from "./send.ts";

const PAGE = 200;

/** `inbox [id]`: what waits for a person, oldest first. */
export function inbox(context: CommandContext, id: string | undefined, flags: SendFlags): Promise<number> {
  const { output } = context;
  return withHarness(context, flags, async (harness) => {
    const items =
      id === undefined ? await allItems(harness) : await inboxItems(harness, await findSession(harness, id));
    items.sort((left, right) => left.asked_at - right.asked_at);
    const now = harness.clock.wallMs();
    if (flags.json === true)
      output.printJson(items.map((item) => ({ ...item, age_ms: Math.max(0, now - item.asked_at) })));
    else if (items.length === 0) output.print("nothing waits for a person");
    else
      for (const entry of inboxEntries(items))
        output.print(...entryLines(entry, { now, width: output.width, flags }));
    return EXIT.ok;
  });
}

async function allItems(harness: OpenHarness): Promise<InboxItem[]> {
  const items: InboxItem[] = [];
  for (const record of await allSessions(harness)) {
    const read = (): Promise<InboxItem[]> => inboxItems(harness, record.sessionId);
    items.push(...(await unlessDamaged(read, (error) => [damageItem(record, error)])));
  }
  return items;
}

async function allSessions({ store }: OpenHarness): Promise<SessionRecord[]> {
  const found: SessionRecord[] = [];
  for (let after: SessionId | undefined; ; ) {
    const page = await store.listSessions({ limit: PAGE, ...(after !== undefined && { after }) });
    found.push(...page);
    after = page.at(-1)?.sessionId;
    if (page.length < PAGE) return found;
  }
}

interface Shown {
  readonly now: number;
  readonly width: number;
  readonly flags: SendFlags;
}

/** Each change of a folder in its words, and one command for all of them. */
function entryLines({ folder, items }: InboxEntry, shown: Shown): string[] {
  const [first] = items;
  if (first === undefined) return [];
  if (folder === null) return linesOf(first, shown);
  return linesOf(
    {
      ...first,
      detail: [`${items.length} changes in ${folder}`, ...items.map(({ detail }) => `- ${detail}`)].join(
        "\n",
      ),
      answer: ["approve", first.session, folder],
    },
    shown,
  );
}

function linesOf(item: InboxItem, { now, width, flags }: Shown): string[] {
  const age = formatDuration(Math.max(0, now - item.asked_at));
  const indented = (text: string, indent = "  "): string[] =>
    wrap(text, width - indent.length).map((line) => `${indent}${line}`);
  const until = item.expires_at === null ? "" : ` at ${formatMoment(item.expires_at, now)}`;
  return [
    truncate(`- ${item.session}, for ${age}: ${singleLine(item.title)}`, width),
    ...indented(`${item.kind === "question" ? `${item.item}: ` : ""}${item.detail}`),
    ...item.action.flatMap((line) => indented(line, "    | ")),
    ...item.choices.flatMap((choice, index) => indented(`${index + 1}  ${singleLine(choice)}`, "    ")),
    ...indented(`if nobody answers: ${singleLine(item.otherwise)}${until}`),
    `  ${commandLine(flags, ...item.answer)}`,
    ...(item.refusal === null ? [] : [`  or: ${commandLine(flags, ...item.refusal)}`]),
  ];
}

/** Flags of `answer`. */
export interface AnswerFlags extends SendFlags {
  readonly author?: string;
}

/** `answer <session|question> [question] [text...]`: a number means one of the choices. */
export function answer(
  context: CommandContext,
  first: string,
  words: readonly string[],
  flags: AnswerFlags,
): Promise<number> {
  return withHarness(context, flags, async (harness) => {
    const { state, question, rest } = await meantBy(harness, first, words);
    const text = rest.length > 0 ? textOf(rest) : await askAtTerminal(context, question);
    const said = chosen(question, text.trim());
    const author = personOf(context, flags.author);
    const body = { question: question.question, text: said, author, channel: "cli" };
    return await submit(context, state.sessionId, flags, {
      events: [event("question.answered", body)],
      done: `${question.question} is answered: ${truncate(singleLine(said), 60)}`,
    });
  });
}

const QUESTION = /^q\d+_\d+$/;

interface Meant {
  readonly state: SessionState;
  readonly question: OpenQuestion;
  readonly rest: readonly string[];
}

/** @throws NightshiftError `E_QUESTION_UNKNOWN`, `E_QUESTION_CLOSED`, `E_USAGE` when several could be meant */
async function meantBy(harness: OpenHarness, first: string, words: readonly string[]): Promise<Meant> {
  if (QUESTION.test(first)) return { ...(await questionNamed(harness, first)), rest: words };
  const state = await loadState(harness.store, await findSession(harness, first));
  const open = await questionsOf(harness, state);
  const [named = "", ...rest] = words;
  if (QUESTION.test(named)) {
    const question = open.find((each) => each.question === named);
    if (question !== undefined) return { state, question, rest };
    throw new NightshiftError("E_QUESTION_CLOSED", `${state.sessionId} does not ask ${named} (any more)`);
  }
  const [only] = open;
  if (only === undefined)
    throw new NightshiftError("E_QUESTION_UNKNOWN", `${state.sessionId} asks nothing now`);
  if (open.length === 1) return { state, question: only, rest: words };
  throw several(open.map(({ question }) => `${state.sessionId} ${question}`));
}

async function questionNamed(harness: OpenHarness, name: string): Promise<Omit<Meant, "rest">> {
  const found: Omit<Meant, "rest">[] = [];
  for (const { sessionId } of await allSessions(harness)) {
    const ask = async (): Promise<Omit<Meant, "rest"> | null> => {
      const state = await loadState(harness.store, sessionId);
      const question = (await questionsOf(harness, state)).find((each) => each.question === name);
      return question === undefined ? null : { state, question };
    };
    const asking = await unlessDamaged(ask, () => null);
    if (asking !== null) found.push(asking);
  }
  const [only] = found;
  if (only === undefined)
    throw new NightshiftError("E_QUESTION_UNKNOWN", `no session in this state folder asks ${name} now`);
  if (found.length === 1) return only;
  throw several(found.map(({ state }) => `${state.sessionId} ${name}`));
}

const SHOWN_MAX = 5;

function several(names: readonly string[]): NightshiftError {
  return new NightshiftError(
    "E_USAGE",
    `several questions could be meant: ${names.slice(0, SHOWN_MAX).join(", ")}`,
    {
      hint: "Name the session and the question: nightshift answer <session> <question> <text>",
    },
  );
}

async function askAtTerminal({ output }: CommandContext, question: OpenQuestion): Promise<string> {
  if (!process.stdin.isTTY)
    throw new NightshiftError("E_USAGE", "the answer is missing", {
      hint: "Give it as words, or - to read standard input.",
    });
  output.print(...wrap(question.text, output.width));
  for (const [index, choice] of question.choices.entries())
    output.print(`  ${index + 1}  ${singleLine(choice)}`);
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await terminal.question("answer: ");
  } finally {
    terminal.close();
  }
}

/** @throws NightshiftError `E_USAGE` for nothing at all, or a number that is none of the choices */
function chosen({ choices, question }: OpenQuestion, text: string): string {
  if (text === "") throw new NightshiftError("E_USAGE", "the answer is empty");
  if (choices.length === 0 || !/^\d{1,3}$/.test(text)) return text;
  const choice = choices[Number(text) - 1];
  if (choice !== undefined) return choice;
  if (choices.includes(text)) return text;
  throw new NightshiftError("E_USAGE", `${question} has the choices 1 to ${choices.length}, not ${text}`);
}
