import { describe, expect, test } from "vitest";
import type { AssistantBlock, Message, ModelRequest } from "../contract.ts";
import { promptOf, toolsOf } from "./prompt.ts";

const STYLE = { provider: "here", optionsKey: "sdk", prefixOptions: { sdk: { mark: true } } };

function promptFor(...messages: Message[]): ReturnType<typeof promptOf> {
  const request: ModelRequest = { model: "m", system: "", tools: [], messages, maxOutputTokens: 1 };
  return promptOf(request, STYLE);
}

function assistant(...blocks: AssistantBlock[]): Message {
  return { role: "assistant", blocks };
}

describe("the prompt", () => {
  test("wraps an input that is no object, because providers take nothing else", () => {
    const call = { type: "tool_call", providerCallId: "a b", name: "shell", input: "{broken" } as const;
    expect(promptFor(assistant(call))).toEqual([
      {
        role: "assistant",
        content: [
          { type: "tool-call", toolCallId: "a_b", toolName: "shell", input: { invalid_input: "{broken" } },
        ],
      },
    ]);
  });

  test("leaves out messages of which nothing is left", () => {
    const thinking = {
      type: "thinking",
      text: "elsewhere",
      provider: { there: { signature: "s" } },
    } as const;
    expect(promptFor(assistant(thinking, { type: "text", text: " " }))).toEqual([]);
  });

  test("gives each provider its own data back, and no other's", () => {
    const provider = { here: { signature: "s" }, there: { signature: "t" } };
    expect(promptFor(assistant({ type: "thinking", text: "t", provider }))).toEqual([
      {
        role: "assistant",
        content: [{ type: "reasoning", text: "t", providerOptions: { sdk: { signature: "s" } } }],
      },
    ]);
  });

  test("keeps results of one turn together, in order, and marks errors", () => {
    const result = { role: "tool", name: "shell" } as const;
    expect(
      promptFor(
        { ...result, providerCallId: "1", text: "fine", isError: false },
        { ...result, providerCallId: "2", text: "bad", isError: true },
      ),
    ).toEqual([
      {
        role: "tool",
        content: [
          {
            type: "tool-result",
            toolCallId: "1",
            toolName: "shell",
            output: { type: "text", value: "fine" },
          },
          {
            type: "tool-result",
            toolCallId: "2",
            toolName: "shell",
            output: { type: "error-text", value: "bad" },
          },
        ],
      },
    ]);
  });

  test("mends halves of letters, which are not JSON on every provider's side", () => {
    expect(promptFor({ role: "user", text: "cut: \ud83c" })).toEqual([
      { role: "user", content: [{ type: "text", text: "cut: \ufffd" }] },
    ]);
  });

  test("marks the last tool only", () => {
    const tool = { name: "a", description: "", inputSchema: {} };
    const marks = toolsOf([tool, { ...tool, name: "b" }], STYLE).map((each) => each.providerOptions);
    expect(marks).toEqual([undefined, { sdk: { mark: true } }]);
  });
});
