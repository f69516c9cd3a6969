/**
 * The work of the kill suite: every turn appends lines to a file outside the log, one line per effect, so that
 * effects can be counted by somebody who does not trust the log.
 */
import type { ModelAdapter, ModelRequest } from "../../../src/model/contract.ts";
import { createScriptedModel, type ScriptTurn } from "../../../src/model/scripted.ts";
import { systemClock } from "../../../src/runtime/system.ts";

/** Name of the counter file in the workspace. */
export const COUNTER_FILE = "effects.log";

/** What the shell call at `index` of turn `turn` appends to the counter file. */
export function effectLine(turn: number, index: number): string {
  return `effect-${turn}-${index}`;
}

/** Plays `turns` turns: two shell calls with an effect each, now and then a write and a read, then the end. */
export function createCounterModel(turns: number): ModelAdapter {
  return createScriptedModel((request: ModelRequest) => turnFor(request, turns), { clock: systemClock });
}

function turnFor(request: ModelRequest, turns: number): ScriptTurn {
  const turn = request.messages.filter((message) => message.role === "assistant").length;
  if (turn >= turns) return { text: "finished" };
  const shell = (index: number, pause: string) => ({
    name: "bash",
    input: { command: `echo ${effectLine(turn, index)} >> ${COUNTER_FILE}; sleep ${pause}` },
  });
  const tools: NonNullable<ScriptTurn["tools"]> = [shell(0, "0.02"), shell(1, "0")];
  if (turn % 3 === 0) {
    tools.push({
      name: "write",
      input: { file_path: `turn-${turn}.txt`, content: `content of turn ${turn}\n` },
    });
    tools.push({ name: "read", input: { file_path: `turn-${turn}.txt` } });
  }
  return { text: `turn ${turn}`, tools };
}
