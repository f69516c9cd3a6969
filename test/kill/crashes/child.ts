/**
 * A harness process for the crash suite: wakes one session until it rests, with a model that has a few commands run.
 * Usage: child.ts <state folder> <session id> <address of the counter>
 */
import { asSessionId } from "../../../src/core/ids.ts";
import { createScriptedModel, type ScriptTurn } from "../../../src/model/scripted.ts";
import { openHarness } from "../../../src/runtime/open.ts";
import { systemClock } from "../../../src/runtime/system.ts";
import { wake } from "../../../src/runtime/wake.ts";
import { commandOf, EFFECTS } from "./workload.ts";

const [stateFolder = "", session = "", address = ""] = process.argv.slice(2);

function turnOf(index: number): ScriptTurn {
  if (index >= EFFECTS) return { text: "finished" };
  return { tools: [{ name: "bash", input: { command: commandOf(index, address) } }] };
}

const model = createScriptedModel(
  ({ messages }) => turnOf(messages.filter(({ role }) => role === "assistant").length),
  { clock: systemClock },
);
await using harness = await openHarness({ stateFolder, models: { scripted: model } });
const result = await wake(harness, asSessionId(session));
if (result.status === "left") console.log(`rest ${result.state.stopReason?.type ?? ""} ${result.due ?? ""}`);
else console.log(result.status);
