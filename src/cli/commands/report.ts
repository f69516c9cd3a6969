/** `report`: what a person has to know of a session before they use its work. */
import { ACCOUNT_TYPES, type Account, accountOf } from "../../core/contract/account.ts";
import type { SessionEvent } from "../../core/events/index.ts";
import type { SessionId } from "../../core/ids.ts";
import type { SessionState } from "../../core/state.ts";
import { loadState } from "../../runtime/load.ts";
import type { OpenHarness } from "../../runtime/open.ts";
import type { ChangedFile } from "../../workspace/contract.ts";
import { type CommandContext, findSession, type PlaceFlags, withHarness } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { reportLines } from "../render/report.ts";
import { resultOf } from "../session-facts.ts";

/** Flags of `report`. */
export interface ReportFlags extends PlaceFlags {
  readonly json?: boolean;
}

const PAGE = 500;

/** In Markdown, or as JSON. */
export function report(context: CommandContext, id: string | undefined, flags: ReportFlags): Promise<number> {
  return withHarness(context, flags, async (harness) => {
    const sessionId = await findSession(harness, id);
    const state = await loadState(harness.store, sessionId);
    const account = await readAccount(harness, sessionId);
    const record = await harness.store.getSession(sessionId);
    const head = `${record?.seq ?? 0}:${record?.hash ?? ""}`;
    const changed = await changedFiles(harness, state);
    if (flags.json === true) context.output.printJson({ ...resultOf(state), head, account, changed });
    else context.output.print(...reportLines({ state, account, head, changed }));
    return EXIT.ok;
  });
}

async function readAccount({ store }: OpenHarness, sessionId: SessionId): Promise<Account> {
  const events: SessionEvent[] = [];
  for (let after = 0; ; ) {
    const page = await store.getEvents(sessionId, { after, limit: PAGE, types: ACCOUNT_TYPES });
    events.push(...page);
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) return accountOf(events);
    after = last.seq;
  }
}

/** What the newest verdict was about, else the newest checkpoint, against the base. */
async function changedFiles(harness: OpenHarness, state: SessionState): Promise<readonly ChangedFile[]> {
  const from = state.config?.sandbox.checkout?.base;
  const to = state.contract?.given?.commit ?? state.workspace?.saved.commit;
  if (from === undefined || to === undefined || from === to) return [];
  const workspaces = await harness.workspaces();
  return await workspaces.changedFiles(state.sessionId, { from, to }, new AbortController().signal);
}
