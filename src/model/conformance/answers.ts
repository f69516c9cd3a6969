/** Cases about what an answer becomes. */
import { strict as assert } from "node:assert";
import type { ConformanceCase } from "../../core/conformance.ts";
import type { ScriptTurn } from "../script-schema.ts";
import { ask, askFor, askInVain, type ModelSubject, scriptOf } from "./subject.ts";

const LONG_TEXT = 'All of it: “ü”, \u{1F319}, "quotes", \\ and\nlines. '.repeat(20);

async function orderOfParts(subject: ModelSubject): Promise<void> {
  const turn = {
    thinking: "First, I think.",
    text: LONG_TEXT,
    tools: [{ name: "shell", input: { command: "ls" } }],
  };
  await using rig = await subject.open(scriptOf(turn));
  const { parts, blocks, end } = await askFor(rig);
  assert.equal(parts[0]?.type, "started");
  assert.deepEqual(
    blocks.map((block) => block.type),
    ["thinking", "text", "tool_call"],
  );
  assert.equal(end.type, "finished");
}

async function deltasJoinUp(subject: ModelSubject): Promise<void> {
  const input = { command: LONG_TEXT };
  const turn = { thinking: LONG_TEXT, text: `${LONG_TEXT}!`, tools: [{ name: "shell", input }] };
  await using rig = await subject.open(scriptOf(turn));
  const { parts, blocks } = await askFor(rig);
  const joined = (kind: string): string =>
    parts.map((part) => (part.type === "delta" && part.kind === kind ? part.text : "")).join("");
  const texts = blocks.map((block) =>
    block.type === "tool_call" ? JSON.stringify(block.input) : block.text,
  );
  assert.deepEqual(texts, [LONG_TEXT, `${LONG_TEXT}!`, JSON.stringify(input)]);
  assert.deepEqual([joined("thinking"), joined("text"), joined("tool_input")], texts);
  const deltas = parts.filter((part) => part.type === "delta");
  assert.ok(deltas.length > 10, "a long answer comes in many pieces");
}

async function toolCalls(subject: ModelSubject): Promise<void> {
  const inputs = [
    { command: "printf 'a\\nb' | sort", nested: { list: [1, -2.5, null, true, "ü"], empty: {} } },
    { path: "two.txt" },
    {},
  ];
  const names = ["shell", "read", "read"];
  const tools = inputs.map((input, index) => ({ name: names[index] ?? "", input }));
  await using rig = await subject.open(scriptOf({ tools }));
  const { blocks, end } = await askFor(rig);
  const calls = blocks.flatMap((block) => (block.type === "tool_call" ? [block] : []));
  assert.deepEqual(
    calls.map(({ name, input, invalid }) => ({ name, input, invalid })),
    tools.map((tool) => ({ ...tool, invalid: undefined })),
  );
  assert.equal(new Set(calls.map((call) => call.providerCallId)).size, 3, "every call has an id of its own");
  assert.equal(end.type === "finished" && end.stopReason, "tool_use");
}

async function invalidInput(subject: ModelSubject): Promise<void> {
  const tools = [
    { name: "shell", raw: '{"command": "ls' },
    { name: "read", input: { path: "fine.txt" } },
  ];
  await using rig = await subject.open(scriptOf({ tools }));
  const { blocks } = await askFor(rig);
  const [broken, fine] = blocks;
  assert.ok(broken?.type === "tool_call" && typeof broken.invalid === "string", JSON.stringify(broken));
  assert.equal(broken.input, '{"command": "ls');
  assert.ok(fine?.type === "tool_call" && fine.invalid === undefined);
}

async function usage(subject: ModelSubject): Promise<void> {
  const counts = { input_tokens: 1000, output_tokens: 50, cache_read_input_tokens: 300 };
  const turn = { text: "Counted.", usage: { ...counts, cache_creation_input_tokens: 20 } };
  await using rig = await subject.open(scriptOf(turn));
  const { end } = await askFor(rig);
  const written = subject.countsCacheWrites
    ? { inputTokens: 1000, cacheWriteTokens: 20 }
    : { inputTokens: 1020, cacheWriteTokens: 0 };
  assert.deepEqual(end.usage, { ...written, outputTokens: 50, cacheReadTokens: 300 });
}

async function unknownUsage(subject: ModelSubject): Promise<void> {
  await using rig = await subject.open(scriptOf({ text: "Uncounted.", usage: null }));
  const { end } = await askFor(rig);
  assert.equal(end.usage, undefined);
}

async function stopReasons(subject: ModelSubject): Promise<void> {
  const turns: readonly (readonly [ScriptTurn, string])[] = [
    [{ text: "Done." }, "end_turn"],
    [{ tools: [{ name: "shell", input: { command: "ls" } }] }, "tool_use"],
    [{ text: "Cut sho", stop: "max_tokens" }, "max_tokens"],
    [{ text: "No.", stop: "refusal" }, "refusal"],
    [{ text: "Hm.", stop: "other" }, "other"],
  ];
  for (const [turn, expected] of turns) {
    await using rig = await subject.open(scriptOf(turn));
    const { end } = await askFor(rig);
    assert.equal(end.type === "finished" && end.stopReason, expected);
  }
}

async function refusalWithoutWords(subject: ModelSubject): Promise<void> {
  await using rig = await subject.open(scriptOf({ stop: "refusal" }));
  const { blocks, end } = await ask(rig);
  assert.deepEqual(blocks, []);
  assert.equal(end.type === "finished" && end.stopReason, "refusal");
}

async function emptyAnswer(subject: ModelSubject): Promise<void> {
  await using rig = await subject.open(scriptOf({}));
  const failure = await askInVain(rig);
  assert.equal(failure.class, "garbage");
}

async function endOfScript(subject: ModelSubject): Promise<void> {
  await using rig = await subject.open(scriptOf());
  const { blocks } = await askFor(rig);
  assert.equal(blocks[0]?.type === "text" && blocks[0].text, "end of script");
}

/** Answers. */
export const answerCases: readonly ConformanceCase<ModelSubject>[] = [
  { name: "parts come in order: started, deltas and blocks, one end, nothing after it", run: orderOfParts },
  { name: "deltas join up to the texts of their blocks", run: deltasJoinUp },
  { name: "tool calls come with names, inputs and ids of their own, in order", run: toolCalls },
  { name: "an input that is not JSON gives a block with `invalid` and the raw text", run: invalidInput },
  { name: "usage counts input without cache reads and writes", run: usage },
  {
    name: "usage that the provider did not tell is undefined",
    run: (subject) => (subject.canOmitUsage ? unknownUsage(subject) : zeroUsage(subject)),
  },
  { name: "the stop reason is the model's", run: stopReasons },
  { name: "a refusal without words is an answer", run: refusalWithoutWords },
  { name: "an empty answer fails with class garbage", run: emptyAnswer },
  { name: "after its last turn, a script answers with a plain text", run: endOfScript },
];

/** A wire that cannot leave the usage out sends zeros, and no answer is free. */
async function zeroUsage(subject: ModelSubject): Promise<void> {
  const none = { input_tokens: 0, output_tokens: 0 };
  await using rig = await subject.open(scriptOf({ text: "Uncounted.", usage: none }));
  const { end } = await askFor(rig);
  assert.equal(end.usage, undefined);
}
