/** What exactly a person allows: the call with its input, and the moment at which it was asked for. */
import { hash } from "node:crypto";
import { canonicalJson } from "../contract/canonical.ts";
import type { Sequence } from "../ids.ts";
import type { Json } from "../text.ts";

/** A call as a person looks at it. */
export interface Action {
  readonly session: string;
  readonly call: string;
  /** The run that is to begin. */
  readonly run: number;
  readonly name: string;
  /** As stored. */
  readonly input: Json;
  /** Position of the log at which it was asked for; what is asked for again has another one. */
  readonly throughSeq: Sequence;
}

/** SHA-256 in hex over the canonical JSON. Whoever shows an action makes it anew from what is shown. */
export function actionHash(action: Action): string {
  return hash("sha256", canonicalJson(action), "hex");
}
