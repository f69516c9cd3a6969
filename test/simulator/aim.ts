/** What a seed aims at, and what its workload has to be like for that. */
import type { Pair } from "./pairs.ts";

/** What a seed aims at: it gets a workload in which that happens. */
export interface Aim {
  /** There are many calls. */
  readonly works: boolean;
  /** Commands run long, so that people can stop them. */
  readonly stops: boolean;
  /** Most calls write files. */
  readonly writes: boolean;
  /** Sessions have contracts, of which people say much. */
  readonly judges: boolean;
  /** Mostly, that they want another one. */
  readonly amends: boolean;
  /** Sandboxes outlive their sessions' work, or end with it. */
  readonly graceMs: number | null;
  /** People send much. */
  readonly talks: boolean;
  /** Agents ask, and people answer. */
  readonly asks: boolean;
  /** People who are away are told. */
  readonly tells: boolean;
}

/** @param target - null: nothing in particular */
export function aimOf(target: Pair | null): Aim {
  const text = target ?? "";
  const judges = /@(preflight|check)\./.test(text);
  const endsSandbox = /@(destroy|provision|attach)\./.test(text);
  return {
    works: /@(cancel|prepare|execute|renew)\./.test(text),
    stops: /@cancel\./.test(text),
    writes: /@prepare\./.test(text),
    judges,
    amends: /@preflight\./.test(text),
    graceMs: endsSandbox ? 0 : text.startsWith("daemon-") ? (judges ? 90_000 : 30_000) : null,
    talks: endsSandbox || /^daemon-|@(session|submit|release|claim|snapshot)\./.test(text),
    asks: /@answer\./.test(text),
    tells: /@notify\./.test(text),
  };
}
