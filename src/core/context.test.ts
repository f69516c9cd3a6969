import { describe, expect, test } from "vitest";
import {
  accepted,
  answered,
  asked,
  called,
  created,
  failedWith,
  inDoubt,
  interrupted,
  lost,
  rejected,
  replied,
  result,
  running,
  said,
  started,
  THREAD,
  threadStart,
} from "../../test/support/events.ts";
import { contextOf, place } from "../../test/support/logs.ts";
import {
  type Context,
  closeTurn,
  emptyContext,
  messagesOf,
  recallContext,
  reduceContext,
  tokensOf,
} from "./context.ts";
import { type EventInput, event } from "./events/index.ts";
import type { Message } from "./message.ts";

/** What the next request of this log would send. */
function sentBy(...log: readonly EventInput[]): readonly Message[] {
  return messagesOf(closeTurn(contextOf(...log)));
}

const user = (text: string): Message => ({ role: "user", text });
const assistant = (...texts: readonly string[]): Message => ({
  role: "assistant",
  blocks: texts.map((text) => ({ type: "text", text })),
});
const call = (index: number): Extract<Message, { role: "assistant" }>["blocks"][number] => ({
  type: "tool_call",
  providerCallId: `call_1_${index}`,
  name: "shell",
  input: { command: "true" },
});
const answer = (index: number, isError = false): Message => ({
  role: "tool",
  providerCallId: `call_1_${index}`,
  name: "shell",
  text: `result of c1_${index}`,
  isError,
});

/** 5 events: one message is accepted. */
const open = [created(), said("go"), running, threadStart(), accepted(2)];
const turn = [...open, asked(1), answered(1)];

describe("what a request sends", () => {
  const rows: readonly (readonly [string, readonly EventInput[], readonly Message[]])[] = [
    ["nothing before a message was accepted", [created(), said("go"), running, threadStart()], []],
    ["the message", open, [user("go")]],
    [
      "messages in the order in which they were accepted",
      [created(), said("a"), said("b"), said("c"), threadStart(), accepted(2, 3), accepted(4)],
      [user("a"), user("b"), user("c")],
    ],
    [
      "blocks of text, joined by line ends",
      [
        created(),
        event("user.message", {
          content: [
            { type: "text", text: "a" },
            { type: "text", text: "b" },
          ],
        }),
        threadStart(),
        accepted(2),
      ],
      [user("a\nb")],
    ],
    [
      "not what was rejected",
      [created(), said("a"), said("b"), rejected(3), threadStart(), accepted(2)],
      [user("a")],
    ],
    ["not what still waits", [...open, said("later")], [user("go")]],
    ["nothing for an unknown message", [...open, accepted(77)], [user("go")]],
    ["the answer after what it answers", [...turn, replied(1, "done")], [user("go"), assistant("done")]],
    [
      "all blocks of an answer as one message",
      [...turn, replied(1, "first"), replied(1, "second"), called(1, 0), result("c1_0")],
      [
        user("go"),
        {
          role: "assistant",
          blocks: [{ type: "text", text: "first" }, { type: "text", text: "second" }, call(0)],
        },
        answer(0),
      ],
    ],
    [
      "signatures, with the blocks that they belong to",
      [
        ...turn,
        event("agent.thinking", { request: 1, text: "hm", provider: { p: { signature: "s1" } } }),
        event("agent.message", {
          request: 1,
          content: [{ type: "text", text: "yes" }],
          provider: { p: { id: "m1" } },
        }),
        called(1, 0, "side_effect", { provider: { p: { signature: "s2" } } }),
        result("c1_0"),
      ],
      [
        user("go"),
        {
          role: "assistant",
          blocks: [
            { type: "thinking", text: "hm", provider: { p: { signature: "s1" } } },
            { type: "text", text: "yes", provider: { p: { id: "m1" } } },
            { ...call(0), provider: { p: { signature: "s2" } } } as never,
          ],
        },
        answer(0),
      ],
    ],
    [
      "results in the order of the calls, whatever finished first",
      [
        ...turn,
        called(1, 0),
        called(1, 1),
        called(1, 2),
        result("c1_2"),
        result("c1_0", 1, { is_error: true }),
        result("c1_1"),
      ],
      [
        user("go"),
        { role: "assistant", blocks: [call(0), call(1), call(2)] },
        answer(0, true),
        answer(1),
        answer(2),
      ],
    ],
    [
      "messages that came meanwhile after the results",
      [...turn, said("also"), called(1, 0), result("c1_0"), accepted(8)],
      [user("go"), { role: "assistant", blocks: [call(0)] }, answer(0), user("also")],
    ],
    [
      "what the tools were really given, not how often",
      [...turn, called(1, 0), started("c1_0"), inDoubt("c1_0"), started("c1_0", 2), result("c1_0", 2)],
      [user("go"), { role: "assistant", blocks: [call(0)] }, answer(0)],
    ],
    ["the same again after a failure", [...open, asked(1), failedWith(1, "network")], [user("go")]],
    ["the same again after a loss", [...open, asked(1), lost(1)], [user("go")]],
    [
      "a redirection after an interrupt",
      [...open, asked(1), interrupted(1), said("no, that"), accepted(8)],
      [user("go"), user("no, that")],
    ],
    [
      "a missing long text as such",
      [
        ...turn,
        event("agent.message", {
          request: 1,
          content: [{ type: "text", text: { $blob: "ab", bytes: 9000 } }],
        }),
      ],
      [user("go"), assistant("[missing text ab]")],
    ],
  ];
  test.each(rows)("%s", (_name, log, messages) => expect(sentBy(...log)).toEqual(messages));
});

describe("threads", () => {
  test("pin system prompt, tools and model", () => {
    const tools = [{ name: "t", description: "d", input_schema: { type: "object" } }];
    const model = { provider: "p", id: "m", max_output_tokens: 5 };
    const log = event("session.thread_created", {
      session_thread_id: THREAD,
      agent_name: "a",
      reason: "start",
      renderer: 1,
      system: "S",
      tools,
      model,
      from_seq: 1,
    });
    expect(contextOf(log).thread).toEqual({
      system: "S",
      tools: [{ name: "t", description: "d", inputSchema: { type: "object" } }],
      model,
      bytes: 1 + JSON.stringify([{ name: "t", description: "d", inputSchema: { type: "object" } }]).length,
    });
  });

  test("a reset begins with nothing but the messages that wait", () => {
    const log = [...turn, replied(1, "done"), said("next"), threadStart(9, "reset"), accepted(9)];
    expect(sentBy(...log)).toEqual([user("next")]);
  });

  test("an upgrade keeps the messages", () => {
    const log = [...turn, replied(1, "done"), said("next"), threadStart(2, "upgrade"), accepted(9)];
    expect(sentBy(...log)).toEqual([user("go"), assistant("done"), user("next")]);
  });

  test("need no event before the one that they name", () => {
    const log = place([
      ...turn,
      replied(1, "done"),
      said("a"),
      said("b"),
      threadStart(9, "reset"),
      accepted(9, 10),
    ]);
    const whole = closeTurn(log.reduce(reduceContext, emptyContext()));
    const part = closeTurn(log.slice(8).reduce(reduceContext, emptyContext()));
    expect(messagesOf(part)).toEqual(messagesOf(whole));
    expect(part.digest).toBe(whole.digest);
  });

  test("keep what the harness has said within a turn that a shortened one begins with", () => {
    const told = event("workspace.rewound", {
      ...{ checkpoint: 0, commit: "ab".repeat(20) },
      content: [{ type: "text", text: "rewound" }],
    });
    const start = threadStart(7) as EventInput<"session.thread_created">;
    const compact = event("session.thread_created", { ...start.body, reason: "compact", keep_from: 1 });
    const first = [...open.slice(0, 2), told, ...open.slice(2), asked(1), answered(1), replied(1, "done")];
    const log = place([...first, told, asked(2), answered(2), replied(2, "again"), compact]);
    const read = (events: typeof log): Context => closeTurn(events.reduce(reduceContext, emptyContext()));
    const recalled = closeTurn(log.slice(6).reduce(recallContext, emptyContext()));
    expect(messagesOf(read(log))).toEqual([assistant("done"), user("rewound"), assistant("again")]);
    expect(messagesOf(read(log.slice(6)))).toEqual(messagesOf(read(log)));
    expect(messagesOf(recalled)).toEqual(messagesOf(read(log)));
    expect(sentBy(...first.slice(0, 6))).toEqual([user("go")]);
  });
});

describe("the digest", () => {
  test("is chained over the messages, and tells them apart", () => {
    const digests = [
      contextOf(...open),
      contextOf(created(), said("ga"), running, threadStart(), accepted(2)),
      contextOf(...turn, replied(1, "done")),
    ].map((context) => closeTurn(context).digest);
    expect(new Set(digests).size).toBe(3);
    expect(closeTurn(contextOf(...open)).digest).toBe(closeTurn(contextOf(...open)).digest);
  });

  test("does not change by closing twice", () => {
    const once = closeTurn(contextOf(...open));
    expect(closeTurn(once)).toBe(once);
  });

  test("does not change by what no request has picked up", () => {
    expect(closeTurn(contextOf(...open, said("later"))).digest).toBe(closeTurn(contextOf(...open)).digest);
  });
});

describe("versions that share one list of messages", () => {
  const add = (context: Context, seq: number, ...inputs: readonly EventInput[]): Context =>
    place(inputs, seq - 1).reduce(reduceContext, context);

  test("a draft that is thrown away leaves no message behind", () => {
    const committed = contextOf(...open);
    const draft = closeTurn(committed);
    expect(messagesOf(draft)).toEqual([user("go")]);
    const instead = closeTurn(add(committed, 6, said("and"), accepted(6)));
    expect(messagesOf(instead)).toEqual([user("go"), user("and")]);
    expect(messagesOf(draft)).toEqual([user("go")]);
    expect(messagesOf(committed)).toEqual([]);
  });

  test("two drafts from one version do not see each other", () => {
    const committed = closeTurn(contextOf(...turn, replied(1, "done")));
    const left = closeTurn(add(committed, 9, said("left"), accepted(9)));
    const right = closeTurn(add(committed, 9, said("right"), accepted(9)));
    expect(messagesOf(left)).toEqual([user("go"), assistant("done"), user("left")]);
    expect(messagesOf(right)).toEqual([user("go"), assistant("done"), user("right")]);
    expect(messagesOf(committed)).toEqual([user("go"), assistant("done")]);
    const leftAgain = closeTurn(add(left, 11, said("more"), accepted(11)));
    expect(messagesOf(leftAgain)).toEqual([user("go"), assistant("done"), user("left"), user("more")]);
    expect(messagesOf(right)).toEqual([user("go"), assistant("done"), user("right")]);
  });

  test("growing by one message does not copy the others", () => {
    const committed = closeTurn(contextOf(...turn, replied(1, "done")));
    const grown = closeTurn(add(committed, 9, said("more"), accepted(9)));
    expect(grown.messages).toBe(committed.messages);
  });
});

describe("the estimate of tokens", () => {
  const tokensFor = (text: string): number => {
    const log = [created(), said(text), running, threadStart(), accepted(2)];
    return tokensOf(closeTurn(contextOf(...log)));
  };

  test("is a bound also for digits, hashes and rare scripts: a token for each byte", () => {
    expect(tokensFor("7".repeat(1000))).toBeGreaterThanOrEqual(1000);
    expect(tokensFor("𐎀".repeat(1000))).toBeGreaterThanOrEqual(4000);
    expect(tokensFor("a".repeat(3000)) - tokensFor("漢".repeat(1000))).toBe(0);
  });

  test("has the system prompt in it", () => {
    const withPrompt = (system: string): number =>
      tokensOf(
        contextOf(
          event("session.thread_created", {
            session_thread_id: THREAD,
            agent_name: "a",
            reason: "start",
            renderer: 1,
            system,
            tools: [],
            model: { provider: "p", id: "m", max_output_tokens: 5 },
            from_seq: 1,
          }),
        ),
      );
    expect(withPrompt("é".repeat(500)) - withPrompt("")).toBe(1000);
  });

  test("has the tools in it", () => {
    const withTools = (count: number): number =>
      tokensOf(
        contextOf(
          event("session.thread_created", {
            session_thread_id: THREAD,
            agent_name: "a",
            reason: "start",
            renderer: 1,
            system: "",
            tools: Array.from({ length: count }, (_, index) => ({
              name: `t${index}`,
              description: "d".repeat(1000),
              input_schema: {},
            })),
            model: { provider: "p", id: "m", max_output_tokens: 5 },
            from_seq: 1,
          }),
        ),
      );
    expect(withTools(10) - withTools(0)).toBeGreaterThan(10_000);
  });

  test("has no message of an older thread in it", () => {
    const log = [created(), said("x".repeat(10_000)), threadStart(), accepted(2), asked(1), answered(1)];
    const before = tokensOf(contextOf(...log));
    expect(before - tokensOf(contextOf(...log, threadStart(7, "reset")))).toBeGreaterThan(9900);
  });
});
