/** `checkpoint`, `rewind` and `diff`: the files of a session with a checkout of its own. */
import { NightshiftError } from "../../core/errors.ts";
import { event, type SessionEvent } from "../../core/events/index.ts";
import type { SessionId } from "../../core/ids.ts";
import type { SessionState } from "../../core/state.ts";
import { loadState } from "../../runtime/load.ts";
import type { OpenHarness } from "../../runtime/open.ts";
import type { ChangedFile, Workspaces } from "../../workspace/contract.ts";
import { type CommandContext, findSession, withHarness } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { formatQuantity } from "../render/format.ts";
import { snakeKeys } from "../render/json-keys.ts";
import { type SendFlags, submit } from "./send.ts";

/** Flags of `rewind`. */
export interface RewindFlags extends SendFlags {
  readonly to?: number;
}

/** Flags of `diff`. */
export interface DiffFlags extends SendFlags {
  readonly from?: number;
  readonly to?: number;
  readonly stat?: boolean;
  readonly nameOnly?: boolean;
}

const PATCH_BYTES_MAX = 16 * 1024 * 1024;

/** `checkpoint <id>`: saves the files as soon as no command runs. */
export function checkpoint(context: CommandContext, id: string, flags: SendFlags): Promise<number> {
  return submit(context, id, flags, {
    events: [event("control.checkpoint", {})],
    done: "checkpoint asked for",
    check: (state) => void checkoutOf(state),
  });
}

/** `rewind <id> [--to n]`: takes the files back to a checkpoint; the newest unless another is named, 0 is the base. */
export async function rewind(context: CommandContext, id: string, flags: RewindFlags): Promise<number> {
  const target = await withHarness(context, flags, async (harness) => {
    const sessionId = await findSession(harness, id);
    return await commitAt(harness, sessionId, flags.to);
  });
  const place = target.checkpoint === 0 ? "the base" : `checkpoint ${target.checkpoint}`;
  return submit(context, id, flags, {
    events: [event("control.rewind", target)],
    done: `rewind to ${place} asked for`,
  });
}

/** `diff <id> [path]`: what changed between two checkpoints; from the base to the newest one unless others are named. */
export function diff(
  context: CommandContext,
  id: string,
  path: string | undefined,
  flags: DiffFlags,
): Promise<number> {
  return withHarness(context, flags, async (harness) => {
    const { output } = context;
    const sessionId = await findSession(harness, id);
    const from = await commitAt(harness, sessionId, flags.from ?? 0);
    const to = await commitAt(harness, sessionId, flags.to);
    const workspaces = await harness.workspaces();
    const range = { from: from.commit, to: to.commit };
    const never = new AbortController().signal;
    const only = path?.replace(/^\.\//, "").replace(/\/+$/, "");
    const keeper = await keeperOf(workspaces, await loadState(harness.store, sessionId));
    const all = await workspaces.changedFiles(keeper, range, never);
    const files = all.filter((file) => only === undefined || isWithin(file.path, only));
    if (flags.json === true)
      output.printJson({ session_id: sessionId, ...{ from, to }, files: snakeKeys(files) });
    else if (flags.nameOnly === true) for (const file of files) output.print(printable(file.path));
    else if (flags.stat === true) output.print(...statLines(files));
    else if (files.length > 0) {
      const about = only === undefined ? range : { ...range, path: only };
      const patch = await workspaces.diff(keeper, about, PATCH_BYTES_MAX, never);
      output.print(printable(patch.text, "\n\t"));
      if (patch.isCut) output.note(`the patch was cut at ${formatQuantity(PATCH_BYTES_MAX, "byte")}`);
    }
    if (files.length === 0)
      output.note(`nothing changed between checkpoint ${from.checkpoint} and ${to.checkpoint}`);
    return EXIT.ok;
  });
}

/** Whose files show what a session has changed: until a fork is driven, those of the session that it was made from. */
export async function keeperOf(
  workspaces: Pick<Workspaces, "find">,
  { sessionId, workspace }: SessionState,
): Promise<SessionId> {
  const isOwn = (await workspaces.find(sessionId)) !== undefined;
  return isOwn ? sessionId : (workspace?.forkedFrom ?? sessionId);
}

function isWithin(path: string, only: string): boolean {
  return path === only || path.startsWith(`${only}/`);
}

function statLines(files: readonly ChangedFile[]): string[] {
  const lines = files.map(
    ({ change, path, added, removed, isExecutable }) =>
      `${change.padEnd(12)}${(added === null ? "binary" : `+${added} -${removed}`).padEnd(14)}${printable(path)}${isExecutable ? " (executable)" : ""}`,
  );
  const sum = (pick: (file: ChangedFile) => number | null): number =>
    files.reduce((total, file) => total + (pick(file) ?? 0), 0);
  const total = `+${sum(({ added }) => added)} -${sum(({ removed }) => removed)}`;
  return files.length === 0 ? [] : [...lines, `${formatQuantity(files.length, "file")}, ${total}`];
}

/** Names and contents are the agent's: control characters could say anything to a terminal. */
function printable(text: string, allowed = ""): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, (character) =>
    allowed.includes(character) ? character : "\ufffd",
  );
}

function checkoutOf(state: SessionState): NonNullable<SessionState["workspace"]> {
  if (state.workspace !== null) return state.workspace;
  throw new NightshiftError(
    "E_USAGE",
    `${state.sessionId} works in a folder as it is and has no checkpoints`,
    {
      hint: "Sessions in a sandbox that isolates have them.",
    },
  );
}

async function commitAt(
  harness: OpenHarness,
  sessionId: SessionId,
  number: number | undefined,
): Promise<{ readonly checkpoint: number; readonly commit: string }> {
  const state = await loadState(harness.store, sessionId);
  const { saved } = checkoutOf(state);
  if (number === undefined || number === saved.number)
    return { checkpoint: saved.number, commit: saved.commit };
  const base = state.config?.sandbox.checkout?.base;
  if (number === 0 && base !== undefined) return { checkpoint: 0, commit: base };
  const commit = await findCheckpoint(harness, sessionId, number);
  if (commit !== undefined) return { checkpoint: number, commit };
  throw new NightshiftError("E_USAGE", `${sessionId} has no checkpoint ${number}`, {
    hint: `The newest one is ${saved.number}; 0 is the base.`,
  });
}

const PAGE = 500;

async function findCheckpoint(
  harness: OpenHarness,
  sessionId: SessionId,
  number: number,
): Promise<string | undefined> {
  for (let after = 0; ; ) {
    const range = { after, limit: PAGE, types: ["checkpoint.created"] };
    const page = await harness.store.getEvents(sessionId, range);
    const made = page.filter(
      (each): each is SessionEvent<"checkpoint.created"> => each.type === "checkpoint.created",
    );
    const found = made.find(({ body }) => body.number === number);
    if (found !== undefined) return found.body.commit;
    const last = page.at(-1);
    if (last === undefined) return undefined;
    after = last.seq;
  }
}
