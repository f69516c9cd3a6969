/** Tools that the harness itself answers. They change nothing but what the log says, so no sandbox is needed. */

/** Asks for a verdict. It is all that an agent can do about being done. */
export const REQUEST_VERDICT = "request_verdict";
/** Says that a criterion is impossible, or blocked until somebody helps. */
export const DECLARE = "declare";

/** Says where the work stands, for the context that follows. */
export const HAND_OFF = "hand_off";

/** Asks a person something. */
export const ASK = "ask";

/** Names of those that need a contract. */
export const SESSION_TOOLS: readonly string[] = [REQUEST_VERDICT, DECLARE];

/** Is a call of this name answered by the harness? */
export function isSessionTool(name: string): boolean {
  return name === ASK || name === HAND_OFF || SESSION_TOOLS.includes(name);
}
