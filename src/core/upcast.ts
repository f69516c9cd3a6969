/**
 * Old event versions become today's on reading; stored bytes never change. An upcaster takes the body of version
 * n and gives that of n + 1; chains of them are walked. None may ever be removed.
 */
import { NightshiftError } from "./errors.ts";
import { EVENT_VERSIONS, type EventType, type SessionEvent } from "./events/index.ts";
import type { Sequence } from "./ids.ts";
import type { Json } from "./text.ts";

/** Turns the body of one version into that of the next. */
export type Upcaster = (body: Json) => Json;

/** `"type@version"` → the step to the next version. */
export const UPCASTERS: { readonly [typeAndVersion: string]: Upcaster } = {};

/** What a store reads. */
export interface StoredEvent {
  readonly seq: Sequence;
  readonly at: number;
  readonly type: string;
  readonly v: number;
  /** JSON text. */
  readonly body: string;
}

/**
 * @param body - the parsed (and, where wanted, hydrated) body
 * @throws NightshiftError `E_EVENT_NEWER` for a type or version that this release does not know
 */
export function upcast(stored: StoredEvent, body: Json, upcasters = UPCASTERS): SessionEvent {
  const versions: { readonly [type: string]: number | undefined } = EVENT_VERSIONS;
  const newest = Object.hasOwn(versions, stored.type) ? versions[stored.type] : undefined;
  if (newest === undefined || stored.v > newest) {
    throw new NightshiftError(
      "E_EVENT_NEWER",
      `event ${stored.seq} is ${stored.type} version ${stored.v}, which this release does not know`,
      {
        data: { seq: stored.seq, type: stored.type, v: stored.v },
      },
    );
  }
  let current = body;
  for (let version = stored.v; version < newest; version++) {
    const step = upcasters[`${stored.type}@${version}`];
    if (step === undefined) {
      throw new NightshiftError("E_INTERNAL", `no upcaster for ${stored.type} version ${version}`);
    }
    current = step(current);
  }
  return {
    type: stored.type as EventType,
    body: current,
    seq: stored.seq,
    at: stored.at,
  } as unknown as SessionEvent;
}
