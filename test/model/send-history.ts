// Sends one long request to the server at argv[2] and exits: shows that a process of its own sends the same bytes.
import { createAnthropicModel } from "../../src/model/anthropic.ts";
import { ask, FIRST_REQUEST, followUp } from "../../src/model/conformance/subject.ts";
import type { ModelRequest } from "../../src/model/contract.ts";
import { createOpenAICompatibleModel } from "../../src/model/openai-compatible.ts";
import { systemClock } from "../../src/runtime/system.ts";

/** The same in every process. */
function longRequest(): ModelRequest {
  let request = FIRST_REQUEST;
  for (let turn = 0; turn < 20; turn++) {
    request = followUp(request, [
      { type: "thinking", text: `thought ${turn}`, provider: { anthropic: { signature: `s${turn}` } } },
      { type: "text", text: `text ${turn} \u{1F319}` },
      {
        type: "tool_call",
        providerCallId: `call_${turn}`,
        name: "shell",
        input: { z: 1, a: [turn, { b: null }] },
      },
    ]);
  }
  return request;
}

const options = { key: () => "a-key", baseUrl: process.argv[2] ?? "", clock: systemClock };
for (const adapter of [createAnthropicModel(options), createOpenAICompatibleModel(options)]) {
  const { end } = await ask({ adapter }, longRequest());
  if (end.type === "failed") throw new Error(end.failure.message);
}
