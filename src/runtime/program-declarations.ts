/**
 * What a program says that it cannot do: a file in its workspace, in the place of the tool that an agent has. It is data
 * by somebody who may be hostile, and never more than a declaration, which a person decides about.
 */
import { DECLARE_PATH } from "../core/command/renderings.ts";
import { type EventInput, event } from "../core/events/index.ts";
import { attemptCallId, type SessionId } from "../core/ids.ts";
import type { SessionState } from "../core/state.ts";
import type { Json } from "../core/text.ts";
import { type DeclareInput, parseDeclareInput } from "../tool/session.ts";
import type { Workspaces } from "../workspace/contract.ts";

const FILE_BYTES_MAX = 64 * 1024;
const DECLARATIONS_MAX = 50;
const EVIDENCE_LENGTH_MAX = 16_000;

/** What is in the file, or what is wrong with it. */
type Declared = readonly DeclareInput[] | string;

/**
 * Reads the file as the program has left it.
 * @returns nothing declared where there is no file any more; undefined where the harness has put none there
 */
export async function declaredIn(
  workspaces: Pick<Workspaces, "find" | "rendering">,
  sessionId: SessionId,
  { contract }: SessionState,
): Promise<Declared | undefined> {
  const found = await workspaces.find(sessionId);
  if (found?.rendered.includes(DECLARE_PATH) !== true) return undefined;
  const file = await workspaces.rendering(sessionId, DECLARE_PATH);
  const ids = contract?.contract.criteria.map(({ id }) => id) ?? [];
  return file === null ? [] : readDeclarations(file, ids);
}

/** As the log has them. */
export function declarationEvents(declared: Declared | undefined, attempt: number): EventInput[] {
  if (declared === undefined || typeof declared === "string") return [];
  return declared.map((each) => event("contract.declared", { ...each, call: attemptCallId(attempt) }));
}

/** All of them, or what is wrong with the first that is wrong. An empty file says nothing. */
export function readDeclarations(file: Buffer, criteria: readonly string[]): Declared {
  if (file.byteLength > FILE_BYTES_MAX) return `It is larger than ${FILE_BYTES_MAX} bytes.`;
  const list = parsed(file);
  if (!Array.isArray(list)) return "It has to be a JSON list of objects.";
  if (list.length > DECLARATIONS_MAX) return `It has more than ${DECLARATIONS_MAX} entries.`;
  const read: DeclareInput[] = [];
  for (const [index, entry] of list.entries()) {
    const declared = readEntry(entry as Json, criteria);
    if (typeof declared === "string") return `Entry ${index + 1}: ${declared}`;
    if (read.some(({ criterion }) => criterion === declared.criterion))
      return `Entry ${index + 1}: there is another one about ${declared.criterion}.`;
    read.push(declared);
  }
  return read;
}

/** Undefined for what is no JSON. */
function parsed(file: Buffer): unknown {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(file);
    return text.trim() === "" ? [] : JSON.parse(text);
  } catch {
    return undefined;
  }
}

function readEntry(entry: Json, criteria: readonly string[]): DeclareInput | string {
  const declared = parseDeclareInput(entry);
  if (typeof declared === "string") return declared;
  if (declared.evidence.length > EVIDENCE_LENGTH_MAX)
    return `\`evidence\` has to be a text of at most ${EVIDENCE_LENGTH_MAX} characters.`;
  return criteria.includes(declared.criterion)
    ? declared
    : `there is no criterion ${declared.criterion}; there are ${criteria.join(", ")}.`;
}
