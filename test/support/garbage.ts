/** Garbage collection on demand, for tests that ask what is kept. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collect: () => void = runInNewContext("gc");

/** Collects all garbage, and lets finalizers run, which they do in turns of their own. */
export async function collectGarbage(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) {
    collect();
    await new Promise((resolve) => setImmediate(resolve));
  }
}
