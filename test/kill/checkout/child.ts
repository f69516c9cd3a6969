/**
 * A harness process for the checkout campaign: wakes one session until it rests, in a sandbox that isolates, and tells
 * how far the sandbox is.
 * Usage: child.ts <state folder> <session id> <turns>
 */
import { asSessionId } from "../../../src/core/ids.ts";
import { openHarness } from "../../../src/runtime/open.ts";
import { wake } from "../../../src/runtime/wake.ts";
import { createCounterModel } from "../harness/workload.ts";

const [stateFolder = "", session = "", turns = "10"] = process.argv.slice(2);
const models = { scripted: createCounterModel(Number(turns)) };
await using harness = await openHarness({ stateFolder, models });
let isReady = false;
const result = await wake(harness, asSessionId(session), {
  onProgress: ({ sandbox }) => {
    if (!isReady && sandbox !== null) console.log(sandbox.status);
    isReady ||= sandbox?.status === "ready";
  },
});
if (result.status === "left") console.log(`rest ${result.state.stopReason?.type ?? ""} ${result.due ?? ""}`);
else console.log(result.status);
