/** All benchmarks. */
import { agents } from "./agents.ts";
import type { Benchmark } from "./benchmark.ts";
import { firstToken } from "./first-token.ts";
import { parked } from "./parked.ts";
import { sandbox } from "./sandbox.ts";
import { size } from "./size.ts";
import { start } from "./start.ts";
import { syncs } from "./syncs.ts";
import { turn, turnLarge } from "./turn.ts";
import { wakeUp } from "./wake.ts";
import { workspace } from "./workspace.ts";

/** In the order in which they are listed. */
export const BENCHMARKS: readonly Benchmark[] = [
  turn,
  turnLarge,
  size,
  syncs,
  wakeUp,
  start,
  agents,
  parked,
  firstToken,
  workspace,
  sandbox,
];
