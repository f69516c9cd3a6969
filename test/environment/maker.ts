/** Makes a layer in a process of its own, which a test may kill. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ensureLayer, type LayerPlan, layerEgress } from "../../src/environment/index.ts";
import { systemChance, systemClock } from "../../src/runtime/system.ts";
import { createBubblewrapBackend } from "../../src/sandbox/bubblewrap.ts";

interface Order {
  readonly plan: LayerPlan;
  readonly root: string;
  readonly tools: string;
  readonly host: string;
}

const { plan, root, tools, host } = JSON.parse(readFileSync(0, "utf8")) as Order;
await ensureLayer(plan, {
  backend: createBubblewrapBackend({ folder: join(root, "sandboxes"), tools }),
  clock: systemClock,
  chance: systemChance,
  folder: join(root, "layers"),
  openEgress: layerEgress({
    folder: join(root, "egress"),
    injections: [],
    addresses: { [host]: ["127.0.0.1"] },
  }),
  signal: new AbortController().signal,
});
process.stdout.write("made");
