import { describe, expect, test } from "vitest";
import type { Json } from "../../core/text.ts";
import { anthropicComplaint, openaiComplaint } from "./rules.ts";

const user = (content: Json): Json => ({ role: "user", content });
const assistant = (content: Json): Json => ({ role: "assistant", content });
const call = (id: string, input: Json = {}): Json => ({ type: "tool_use", id, name: "shell", input });
const result = (id: string): Json => ({ type: "tool_result", tool_use_id: id, content: "" });

describe("Anthropic", () => {
  test.each<readonly [string, readonly Json[]]>([
    ["a plain message", [user("hi")]],
    ["calls and results", [user("hi"), assistant([call("a"), call("b")]), user([result("b"), result("a")])]],
    [
      "results before words",
      [user("hi"), assistant([call("a")]), user([result("a"), { type: "text", text: "go" }])],
    ],
  ])("takes %s", (_name, messages) => {
    expect(anthropicComplaint(messages)).toBeUndefined();
  });

  test.each<readonly [string, readonly Json[], string]>([
    ["nothing", [], "at least one message"],
    ["an answer before any question", [assistant("hi")], "first message"],
    ["an empty message", [user([])], "messages.0: the content is empty"],
    [
      "a blank text",
      [user("hi"), assistant([{ type: "text", text: " \n" }])],
      "messages.1: text blocks must not be blank",
    ],
    [
      "a call without a result",
      [user("hi"), assistant([call("a")]), user("and?")],
      "messages.2: tool calls without results",
    ],
    ["a call at the end", [user("hi"), assistant([call("a")])], "tool calls without results: a"],
    ["a result without a call", [user([result("a")])], "messages.0: tool results without calls"],
    [
      "one id for two calls",
      [user("hi"), assistant([call("a")]), user([result("a")]), assistant([call("a")]), user([result("a")])],
      "names two tool calls",
    ],
    [
      "an input that is no object",
      [user("hi"), assistant([call("a", "ls")]), user([result("a")])],
      "must be an object",
    ],
    ["an odd id", [user("hi"), assistant([call("a b")]), user([result("a b")])], "must match"],
  ])("refuses %s", (_name, messages, complaint) => {
    expect(anthropicComplaint(messages)).toContain(complaint);
  });
});

describe("OpenAI", () => {
  const asks = (id: string, args: string): Json => ({
    role: "assistant",
    tool_calls: [{ id, function: { name: "shell", arguments: args } }],
  });
  const tells = (id: string): Json => ({ role: "tool", tool_call_id: id, content: "" });

  test("takes calls with their results", () => {
    expect(openaiComplaint([user("hi"), asks("a", "{}"), tells("a"), user("go")])).toBeUndefined();
  });

  test.each<readonly [string, readonly Json[], string]>([
    ["nothing", [], "at least one message"],
    [
      "a call without a result",
      [user("hi"), asks("a", "{}"), user("and?")],
      "messages.2: tool calls without results: a",
    ],
    ["a call at the end", [user("hi"), asks("a", "{}")], "tool calls without results: a"],
    ["a result without a call", [user("hi"), tells("a")], "messages.1: a tool result without its call: a"],
    ["arguments that are not JSON", [user("hi"), asks("a", "{"), tells("a")], "must be JSON"],
  ])("refuses %s", (_name, messages, complaint) => {
    expect(openaiComplaint(messages)).toContain(complaint);
  });
});
