/**
 * The agent's copy of the contract. It decides nothing; but an agent that reads it has to find what is in force, and
 * what becomes of it is noted.
 */
import { hash } from "node:crypto";
import { contractRendering, RENDERING_PATH } from "../core/contract/rendering.ts";
import { type EventBody, type EventInput, event, type SessionEvent } from "../core/events/index.ts";
import type { ExecId, Sequence } from "../core/ids.ts";
import type { SessionState } from "../core/state.ts";
import type { Json } from "../core/text.ts";
import type { Sandbox } from "../sandbox/contract.ts";
import type { Store } from "../store/contract.ts";

/** Of the log, only reading. */
type LogReader = Pick<Store, "getEvents">;
type OnFact = (fact: EventInput) => Promise<Sequence>;

/** When something is about to run. */
export interface CopyMoment {
  readonly state: SessionState;
  readonly sandbox: Sandbox;
  readonly signal: AbortSignal;
  /** Waits until it is in the log. */
  readonly onFact: OnFact;
}

/** What the copy is made of. */
export interface ContractCopyParts {
  readonly log: LogReader;
  /** What it holds now: null when it is no file any more, undefined when the harness has put none there. */
  readonly read: () => Promise<Buffer | null | undefined>;
}

const WALL_MS = 30_000;
const OUTPUT_BYTES = 4096;
const [FOLDER = ""] = RENDERING_PATH.split("/");
/** Whatever an agent has put in its place goes, and is not followed. */
const MAKE_ROOM = `if [ -L ${FOLDER} ] || [ ! -d ${FOLDER} ]; then rm -rf ${FOLDER} && mkdir ${FOLDER}; fi; rm -rf ${RENDERING_PATH}`;
const CLOSE = `chmod 444 ${RENDERING_PATH}`;

/** The copy of one session. */
export class ContractCopy {
  readonly #parts: ContractCopyParts;
  /** By incarnation and contract: written once in each, and waited for by all that run there. */
  readonly #renewed = new Map<string, Promise<void>>();

  constructor(parts: ContractCopyParts) {
    this.#parts = parts;
  }

  /**
   * Writes it anew once the contract was amended, and in each sandbox that is made after that: files begin with the
   * copy of what was sealed. @throws NightshiftError as the sandbox does
   */
  async renew(moment: CopyMoment): Promise<void> {
    const { contract } = moment.state;
    if (contract === null || contract.amendments === 0) return;
    const key = `${moment.sandbox.incarnation} ${contract.hash}`;
    const known = this.#renewed.get(key);
    if (known !== undefined) return await known;
    const renewing = this.#renew(moment, contractRendering(contract.contract), contract.hash);
    this.#renewed.set(key, renewing);
    try {
      await renewing;
    } catch (error) {
      this.#renewed.delete(key);
      throw error;
    }
  }

  async #renew(
    { state, sandbox, signal, onFact }: CopyMoment,
    text: string,
    contract: string,
  ): Promise<void> {
    const { incarnation } = sandbox;
    const written = await newest(this.#parts.log, state, "contract.rendered");
    if (written?.incarnation === incarnation && written.contract_hash === contract) return;
    if ((await this.#parts.read()) === undefined) return;
    const run = async (name: string, operation: "shell" | "write", input: Json): Promise<boolean> => {
      const execId = `${sandbox.id}/contract/${contract.slice(0, 16)}/${name}` as ExecId;
      const limits = { wallMs: WALL_MS, outputBytes: OUTPUT_BYTES };
      const reply = await sandbox.execute({ execId, incarnation, operation, input, limits }, { signal });
      return reply.status === "finished" && reply.result.ending === "exited" && reply.result.exitCode === 0;
    };
    // No room, or a program that is in the way: work goes on without, it is for the agent to read.
    const isWritten =
      (await run("room", "shell", { command: MAKE_ROOM })) &&
      (await run("text", "write", { file_path: RENDERING_PATH, content: text })) &&
      (await run("mode", "shell", { command: CLOSE }));
    if (!isWritten) return;
    const place = { path: RENDERING_PATH, incarnation };
    await onFact(event("contract.rendered", { ...place, hash: sha256(text), contract_hash: contract }));
  }

  /** What an agent has done to it changes nothing; it is only noted, once for each text. */
  async noteDrift(state: SessionState, onFact: OnFact): Promise<void> {
    const text = await this.#parts.read();
    if (state.contract === null || text === undefined) return;
    const found = text === null ? null : sha256(text);
    const { log } = this.#parts;
    const [expected = "", ...others] = await this.#expected(state);
    if (found === expected || others.some((each) => each === found)) return;
    const known = await newest(log, state, "contract.drifted");
    if (known?.found === found && known.expected === expected) return;
    await onFact(event("contract.drifted", { path: RENDERING_PATH, expected, found }));
  }

  /** The newest that was written; the sealed one too where the files may have been made anew since. */
  async #expected(state: SessionState): Promise<readonly string[]> {
    const { log } = this.#parts;
    const written = await newest(log, state, "contract.rendered");
    if (written !== undefined && written.incarnation === state.sandbox?.incarnation) return [written.hash];
    const [sealed] = await log.getEvents(state.sessionId, { after: 0, limit: 1, types: ["contract.sealed"] });
    const first = sealed?.type === "contract.sealed" ? [sha256(contractRendering(sealed.body.contract))] : [];
    return written === undefined ? first : [written.hash, ...first];
  }
}

async function newest<Type extends "contract.rendered" | "contract.drifted">(
  log: LogReader,
  { sessionId }: SessionState,
  type: Type,
): Promise<EventBody<Type> | undefined> {
  const found = await log.getEvents(sessionId, { backwards: true, limit: 1, types: [type] });
  return (found as readonly SessionEvent<Type>[])[0]?.body as EventBody<Type> | undefined;
}

function sha256(content: string | Buffer): string {
  return hash("sha256", content, "hex");
}
