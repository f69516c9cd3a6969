// Takes turns, for whoever counts this process's system calls from outside.
import { HarnessLoop } from "./loop.ts";
import { NaiveGroup, NaiveLoop } from "./naive.ts";
import { answer, childArgument } from "./processes.ts";
import { openStore } from "./store.ts";
import type { SyncsChild } from "./syncs.ts";
import { Workload } from "./workload.ts";

const { kind, folder, agents, turns } = childArgument<SyncsChild>();
const workload = new Workload();
if (kind === "naive") {
  const loop = new NaiveLoop(`${folder}.jsonl`, workload);
  loop.advance(turns);
  loop.close();
} else if (kind === "naive group") {
  const group = new NaiveGroup(`${folder}.jsonl`, agents, workload);
  await group.advance(turns);
  group.close();
} else {
  const store = await openStore(folder, kind);
  const loops = await Promise.all(Array.from({ length: agents }, () => HarnessLoop.start(store, workload)));
  await Promise.all(loops.map((loop) => loop.advance(turns)));
  await Promise.all(loops.map((loop) => loop.stop()));
  await store.close();
}
answer({ turns });
