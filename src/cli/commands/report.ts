/** `report`: what a person has to know of a session before they use its work. */

import { ACCOUNT_TYPES, type Account, accountOf } from "../../core/contract/account.ts";
import { isNightshiftError } from "../../core/errors.ts";
import type { SessionId } from "../../core/ids.ts";
import { WORK_TYPES, type WorkAccount, WorkReader } from "../../core/report/work.ts";
import type { SessionState } from "../../core/state.ts";
import { loadState } from "../../runtime/load.ts";
import type { OpenHarness } from "../../runtime/open.ts";
import type { ChangedFile } from "../../workspace/contract.ts";
import { type CommandContext, findSession, type PlaceFlags, withHarness } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { snakeKeys } from "../render/json-keys.ts";
import { MARKDOWN, TEXT } from "../render/report/document.ts";
import { rankFiles } from "../render/report/files.ts";
import { reportLines } from "../render/report.ts";
import { resultOf } from "../session-facts.ts";
import { keeperOf } from "./files.ts";

/** Flags of `report`. */
export interface ReportFlags extends PlaceFlags {
  readonly json?: boolean;
  readonly markdown?: boolean;
  readonly text?: boolean;
}

const PAGE = 500;

/** For a terminal; in Markdown where standard output is none; or as JSON. */
export function report(context: CommandContext, id: string | undefined, flags: ReportFlags): Promise<number> {
  return withHarness(context, flags, async (harness) => {
    const sessionId = await findSession(harness, id);
    const state = await loadState(harness.store, sessionId);
    const { account, work } = await readAccounts(harness, sessionId);
    const record = await harness.store.getSession(sessionId);
    const head = `${record?.seq ?? 0}:${record?.hash ?? ""}`;
    const changed = await changedFiles(harness, state);
    const { output } = context;
    const now = harness.clock.wallMs();
    const isText = flags.text ?? (flags.markdown !== true && process.stdout.isTTY);
    if (flags.json === true)
      output.printJson({
        ...(await resultOf(harness, state)),
        head,
        account: snakeKeys(account),
        work: workAsJson(work),
        changed: changed === null ? null : snakeKeys(rankFiles(changed)),
      });
    else
      output.print(
        ...reportLines({ state, account, work, head, changed, now }, isText ? TEXT : MARKDOWN, output.width),
      );
    return EXIT.ok;
  });
}

/** One walk through the log; of a long one only what is told is kept. */
async function readAccounts(
  { store }: OpenHarness,
  sessionId: SessionId,
): Promise<{ readonly account: Account; readonly work: WorkAccount }> {
  const agreed = new Set(ACCOUNT_TYPES);
  const types = [...new Set([...ACCOUNT_TYPES, ...WORK_TYPES])];
  const reader = new WorkReader();
  let account = accountOf([]);
  for (let after = 0; ; ) {
    const page = await store.getEvents(sessionId, { after, limit: PAGE, types });
    for (const item of page) reader.add(item);
    account = accountOf(
      page.filter(({ type }) => agreed.has(type)),
      account,
    );
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) return { account, work: reader.account() };
    after = last.seq;
  }
}

/** What criteria are called is data, and stays. */
function workAsJson({ spendOn, ...work }: WorkAccount): object {
  const spent = Object.entries(spendOn).map(([criterion, spend]) => [criterion, snakeKeys(spend)]);
  return { ...Object(snakeKeys(work)), spend_on: Object.fromEntries(spent) };
}

/**
 * What the newest verdict was about, else the newest checkpoint, against the base. Null when the files are gone: all
 * else comes from the log, and is told without them.
 */
async function changedFiles(
  harness: OpenHarness,
  state: SessionState,
): Promise<readonly ChangedFile[] | null> {
  const from = state.config?.sandbox.checkout?.base;
  const to = state.contract?.given?.commit ?? state.workspace?.saved.commit;
  if (from === undefined || to === undefined || from === to) return [];
  const workspaces = await harness.workspaces();
  const keeper = await keeperOf(workspaces, state);
  try {
    return await workspaces.changedFiles(keeper, { from, to }, new AbortController().signal);
  } catch (error) {
    if (isNightshiftError(error, "E_WORKSPACE_UNKNOWN")) return null;
    throw error;
  }
}
