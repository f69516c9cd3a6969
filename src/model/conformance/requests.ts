/** Cases about what is sent. */
import { strict as assert } from "node:assert";
import type { ConformanceCase } from "../../core/conformance.ts";
import type { ModelRequest } from "../contract.ts";
import type { ScriptTurn } from "../script-schema.ts";
import { askFor, FIRST_REQUEST, followUp, type ModelSubject, scriptOf } from "./subject.ts";

const TOOL_TURN: ScriptTurn = {
  thinking: "I look at two files.",
  signature: "c2lnbmF0dXJl+/==",
  text: "Looking.",
  tools: [
    { name: "read", input: { path: "a.txt" } },
    { name: "shell", input: { command: "wc -l a.txt" } },
  ],
};

async function everythingIsSent(subject: ModelSubject): Promise<void> {
  await using rig = await subject.open(scriptOf({ text: "Fine." }));
  await askFor(rig);
  const [body] = rig.sent();
  const texts = [FIRST_REQUEST.system, FIRST_REQUEST.model, "Runs a command.", "Reads a file."];
  for (const text of texts) assert.ok(body?.includes(text), `the body holds ${text}`);
  const [message] = FIRST_REQUEST.messages;
  const userText = message?.role === "user" ? JSON.stringify(message.text) : "";
  assert.ok(body?.includes(userText), "the body holds the message unchanged");
  assert.ok(body?.includes("1000"), "the body holds the cap on the answer");
}

async function callsGoBack(subject: ModelSubject): Promise<void> {
  await using rig = await subject.open(scriptOf(TOOL_TURN, { text: "Done." }));
  const first = await askFor(rig);
  await askFor(rig, followUp(FIRST_REQUEST, first.blocks));
  const body = rig.sent()[1] ?? "";
  const ids = first.blocks.flatMap((block) => (block.type === "tool_call" ? [block.providerCallId] : []));
  const order = [
    ...ids.map((id) => body.indexOf(`"${id}"`)),
    ...ids.map((id) => body.indexOf(`result of ${id}`)),
    body.indexOf("Go on."),
  ];
  assert.equal(ids.length, 2);
  assert.ok(order[0] !== undefined && order[0] >= 0, "the calls go back");
  assert.deepEqual(
    order,
    order.toSorted((a, b) => a - b),
    "first the calls, then their results in the same order, then what people said",
  );
}

async function thinkingGoesBack(subject: ModelSubject): Promise<void> {
  await using rig = await subject.open(scriptOf(TOOL_TURN, { text: "Done." }));
  const first = await askFor(rig);
  const stored = JSON.parse(JSON.stringify(first.blocks)) as typeof first.blocks;
  await askFor(rig, followUp(FIRST_REQUEST, stored));
  const body = rig.sent()[1] ?? "";
  assert.ok(body.includes('"I look at two files."'), "the thinking goes back unchanged");
  if (subject.hasSignatures) assert.ok(body.includes('"c2lnbmF0dXJl+/=="'), "and so does its proof");
}

async function redactedThinkingGoesBack(subject: ModelSubject): Promise<void> {
  if (!subject.hasSignatures) return;
  const turn = { redacted_thinking: "ZW5jcnlwdGVk/+==", text: "Hm." };
  await using rig = await subject.open(scriptOf(turn, { text: "Done." }));
  const first = await askFor(rig);
  assert.equal(first.blocks[0]?.type, "thinking");
  await askFor(rig, followUp(FIRST_REQUEST, first.blocks));
  assert.ok(rig.sent()[1]?.includes('"ZW5jcnlwdGVk/+=="'), "the data goes back unchanged");
}

/** As left behind by redaction: no proof any more, hence no text. */
async function unprovenThinkingStays(subject: ModelSubject): Promise<void> {
  await using rig = await subject.open(scriptOf(TOOL_TURN, { text: "Done." }));
  const { blocks } = await askFor(rig);
  const redacted = blocks.map((block) =>
    block.type === "thinking" ? ({ type: "thinking", text: "" } as const) : block,
  );
  await askFor(rig, followUp(FIRST_REQUEST, redacted));
  if (subject.hasSignatures)
    assert.ok(!rig.sent()[1]?.includes("c2lnbmF0dXJl"), "no proof without its thinking");
}

async function equalBytes(subject: ModelSubject): Promise<void> {
  await using rig = await subject.open(scriptOf(TOOL_TURN, { text: "Done." }));
  const { blocks } = await askFor(rig);
  const request = followUp(FIRST_REQUEST, blocks);
  const copy = JSON.parse(JSON.stringify(request)) as ModelRequest;
  await askFor(rig, request);
  await askFor(rig, copy);
  await using other = await subject.open(scriptOf(TOOL_TURN, { text: "Done." }));
  await askFor(other, copy);
  const bodies = [rig.sent()[1], rig.sent()[2], other.sent()[0]];
  assert.ok(bodies[0] !== undefined && bodies[0].length > 0);
  assert.equal(new Set(bodies).size, 1, "equal requests are equal bytes");
}

async function stablePrefix(subject: ModelSubject): Promise<void> {
  await using rig = await subject.open(scriptOf(...Array.from({ length: 4 }, () => TOOL_TURN)));
  let request: ModelRequest = FIRST_REQUEST;
  for (let turn = 0; turn < 5; turn++) {
    const { blocks } = await askFor(rig, request);
    request = followUp(request, blocks, `turn ${turn}`);
  }
  const lists = rig.sent().map((body) => subject.messagesOf(body));
  assert.equal(lists.length, 5);
  for (const [index, list] of lists.slice(1).entries()) {
    const before = lists[index]?.slice(0, -1) ?? "";
    assert.ok(
      before.length > 0 && list.startsWith(before),
      `messages ${index + 1} begin with messages ${index}`,
    );
  }
}

async function oddHistories(subject: ModelSubject): Promise<void> {
  await using rig = await subject.open(scriptOf());
  const call = {
    type: "tool_call",
    providerCallId: "odd id:1",
    name: "shell",
    input: "not an object",
  } as const;
  const messages: ModelRequest["messages"] = [
    { role: "user", text: "" },
    { role: "assistant", blocks: [{ type: "text", text: "" }, call] },
    { role: "tool", providerCallId: "odd id:1", name: "shell", text: "", isError: true },
    { role: "assistant", blocks: [{ type: "thinking", text: "" }] },
    { role: "user", text: "half a pair: \ud83c" },
    { role: "assistant", blocks: [{ type: "text", text: "  \n" }] },
    { role: "user", text: "still there?" },
  ];
  await askFor(rig, { ...FIRST_REQUEST, system: "", tools: [], messages });
  assert.ok(rig.sent()[0]?.includes("still there?"));
}

/** Requests. */
export const requestCases: readonly ConformanceCase<ModelSubject>[] = [
  { name: "system prompt, tools, messages and cap are sent", run: everythingIsSent },
  { name: "tool calls and their results go back in order", run: callsGoBack },
  {
    name: "thinking goes back unchanged, with its proof, also after a trip through JSON",
    run: thinkingGoesBack,
  },
  { name: "redacted thinking goes back unchanged", run: redactedThinkingGoesBack },
  { name: "thinking that lost its proof is left out", run: unprovenThinkingStays },
  { name: "equal requests are sent as equal bytes", run: equalBytes },
  { name: "a longer history begins with the bytes of the shorter one", run: stablePrefix },
  { name: "histories with gaps are sent in a form that providers take", run: oddHistories },
];
