/**
 * `write` and `edit`: a new content takes the place of an old one in a single rename, durable before it is
 * acknowledged. `plan` says beforehand, by hashes, what that would change; the intent in the log records it, so
 * that after a crash the log can tell from the file alone whether the change was made.
 */
import { hash } from "node:crypto";
import { type FileHandle, mkdir, open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Json } from "../../core/text.ts";
import type { PrepareReply } from "../contract.ts";
import { type EditInput, type Parsed, parseEditInput, parseWriteInput, type WriteInput } from "../inputs.ts";
import { syncFolderSoon } from "./durable.ts";
import {
  errorCode,
  hashFile,
  inspectFile,
  locate,
  type Owner,
  openFile,
  type Place,
  reasonOf,
} from "./files.ts";
import type { HeldFolder } from "./held-folder.ts";
import { failed, type OperationOutcome, refused, succeeded } from "./operations.ts";

/** Larger files are not edited: the whole content has to be in memory. */
const EDIT_BYTES_MAX = 16 * 1024 * 1024;
const NEW_FILE_MODE = 0o666;

/** A change that could be made now. */
interface ChangePlan {
  readonly place: Pick<Place, "real" | "shown">;
  readonly before: string | null;
  readonly after: string;
  readonly content: Buffer;
  /** Of the file as it is; undefined for a new one. */
  readonly mode: number | undefined;
  readonly owner: Owner | undefined;
  readonly summary: string;
}

/** A plan, or why there is none; `before` is known when the file could be read. */
type Planned = Parsed<ChangePlan> & { readonly before?: string | null };

/** Looks up what a `write` or `edit` would change. Touches nothing. */
export async function prepareChange(
  root: string,
  operation: "write" | "edit",
  input: Json,
): Promise<PrepareReply> {
  const plan = await planNow(root, operation, input);
  if (!plan.ok) {
    const { before } = plan;
    return { status: "refused", reason: plan.problem, ...(before === undefined ? {} : { before }) };
  }
  const { place, before, after } = plan.value;
  return { status: "prepared", path: place.shown, before, after };
}

/** A change that has been planned, with the name of the file that it passes through. */
export interface PendingChange {
  /** Absolute; a crash may leave it behind. */
  readonly temporary: string;
  /** Makes the change, unless the file is no longer what `expectedBefore` says. */
  apply(expectedBefore: string | null | undefined): Promise<OperationOutcome>;
}

/** Plans a change for {@link PendingChange.apply}. */
export async function pendingChange(
  root: string,
  operation: "write" | "edit",
  input: Json,
  unique: string,
): Promise<Parsed<PendingChange>> {
  const plan = await planNow(root, operation, input);
  if (!plan.ok) return plan;
  const name = `.nightshift-${unique}.tmp`;
  const apply = (expected: string | null | undefined): Promise<OperationOutcome> =>
    applyChange(root, plan.value, name, expected === undefined ? plan.value.before : expected);
  return { ok: true, value: { temporary: join(dirname(plan.value.place.real), name), apply } };
}

/** What becomes of a file while it is looked at is no failure of whoever looks. */
function planNow(root: string, operation: "write" | "edit", input: Json): Promise<Planned> {
  return planChange(root, operation, input).catch((error: unknown) => problem(reasonOf(error)));
}

async function planChange(root: string, operation: "write" | "edit", input: Json): Promise<Planned> {
  if (operation === "edit") {
    const parsed = parseEditInput(input);
    return parsed.ok ? planEdit(root, parsed.value) : parsed;
  }
  const parsed = parseWriteInput(input);
  return parsed.ok ? planWrite(root, parsed.value) : parsed;
}

async function planWrite(root: string, input: WriteInput): Promise<Planned> {
  const located = await locate(root, input.path);
  if (!located.ok) return located;
  await using place = located.value;
  const found = await inspectFile(place);
  if (found.kind === "other") return problem(found.problem);
  const content = Buffer.from(input.content);
  const isNew = found.kind === "missing";
  const value: ChangePlan = {
    place,
    before: isNew ? null : await hashFile(place.at),
    after: hash("sha256", content, "hex"),
    content,
    mode: isNew ? undefined : found.mode,
    owner: isNew ? undefined : found.owner,
    summary: `${isNew ? "created" : "replaced"} ${place.shown} (${content.length} bytes)`,
  };
  return { ok: true, value };
}

async function planEdit(root: string, input: EditInput): Promise<Planned> {
  const located = await locate(root, input.path);
  if (!located.ok) return located;
  await using place = located.value;
  const found = await inspectFile(place);
  if (found.kind === "missing") return problem(`${place.shown} does not exist; use write to make it`, null);
  if (found.kind === "other") return problem(found.problem);
  if (found.size > EDIT_BYTES_MAX) {
    const reason = `${place.shown} has ${found.size} bytes; edit works up to ${EDIT_BYTES_MAX}`;
    return problem(reason, await hashFile(place.at));
  }
  const bytes = await readWhole(place.at);
  const before = hash("sha256", bytes, "hex");
  const text = decode(bytes);
  if (text === undefined) return problem(`${place.shown} is not UTF-8 text; edit cannot change it`, before);
  const parts = text.split(input.oldText);
  const count = parts.length - 1;
  const complaint = editComplaint(place.shown, text, input, count);
  if (complaint !== undefined) return problem(complaint, before);
  const content = Buffer.from(parts.join(input.newText));
  const value: ChangePlan = {
    place,
    before,
    after: hash("sha256", content, "hex"),
    content,
    mode: found.mode,
    owner: found.owner,
    summary: `replaced ${count} ${count === 1 ? "occurrence" : "occurrences"} in ${place.shown}`,
  };
  return { ok: true, value };
}

async function readWhole(path: string): Promise<Buffer> {
  const handle = await openFile(path);
  try {
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}

function editComplaint(name: string, text: string, input: EditInput, count: number): string | undefined {
  if (count === 0) {
    const hint =
      text.includes("\r\n") && input.oldText.includes("\n") ? "; the file's lines end in \\r\\n" : "";
    return `old_string does not occur in ${name}${hint}`;
  }
  if (count === 1 || input.replaceAll) return undefined;
  return `old_string occurs ${count} times in ${name}; give more of its surroundings, or set replace_all`;
}

function decode(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Goes the way anew: what has led there when it was planned may lead elsewhere now. */
async function applyChange(
  root: string,
  plan: ChangePlan,
  temporaryName: string,
  expectedBefore: string | null,
): Promise<OperationOutcome> {
  const { real, shown } = plan.place;
  const located = await locate(root, real);
  if (!located.ok) return refused(located.problem);
  await using place = located.value;
  if (place.real !== real) return refused(`${shown} leads elsewhere now; nothing was changed`);
  try {
    await using folder = await makeFolders(place);
    return await replaceIn(folder, plan, temporaryName, expectedBefore);
  } catch (error) {
    return failed(`${shown} could not be written: ${reasonOf(error)}`);
  }
}

async function replaceIn(
  folder: HeldFolder,
  plan: ChangePlan,
  temporaryName: string,
  expectedBefore: string | null,
): Promise<OperationOutcome> {
  const [temporary, target] = [folder.at(temporaryName), folder.at(basename(plan.place.real))];
  try {
    await writeTemporary(plan, temporary);
    const before = await hashFile(target);
    if (before !== expectedBefore) {
      await rm(temporary, { force: true });
      return refused(changedSince(plan.place.shown, before));
    }
    await rename(temporary, target);
    await syncFolderSoon(folder.at("."));
    return succeeded(plan.summary);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
}

function changedSince(name: string, before: string | null): string {
  return before === null
    ? `${name} no longer exists; nothing was changed`
    : `${name} has changed in the meantime; nothing was changed, read it again`;
}

/** Makes every missing folder on the way, durably. @returns the one that the file is in */
async function makeFolders({ folder, rest }: Place): Promise<HeldFolder> {
  let here = await folder.child(".");
  for (const name of rest.slice(0, -1)) {
    const parent = here;
    try {
      await mkdir(parent.at(name)).catch((error: unknown) => {
        if (errorCode(error) !== "EEXIST") throw error;
      });
      await syncFolderSoon(parent.at("."));
      here = await parent.child(name);
    } finally {
      await parent[Symbol.asyncDispose]();
    }
  }
  return here;
}

async function writeTemporary(plan: ChangePlan, temporary: string): Promise<void> {
  // A leftover of this name can only be from an earlier try at the same change.
  await rm(temporary, { force: true });
  const handle = await open(temporary, "wx", NEW_FILE_MODE);
  try {
    await handle.writeFile(plan.content);
    await keepOwner(plan, handle);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function keepOwner({ owner, mode }: ChangePlan, handle: FileHandle): Promise<void> {
  if (owner === undefined || mode === undefined) return;
  const { uid, gid } = await handle.stat();
  // Only root can give files away; for others the file is theirs afterwards, as with any editor.
  if (uid !== owner.uid || gid !== owner.gid) await handle.chown(owner.uid, owner.gid).catch(() => undefined);
  await handle.chmod(mode);
}

function problem(
  text: string,
  before?: string | null,
): { readonly ok: false; readonly problem: string; readonly before?: string | null } {
  return { ok: false, problem: text, ...(before === undefined ? {} : { before }) };
}
