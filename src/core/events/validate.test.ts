import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ErrorCode, isNightshiftError } from "../errors.ts";
import { EVENT_VERSIONS, isClientType, type SessionEvent } from "./index.ts";
import { SUBMISSION_EVENTS_MAX, validateClientEvents, validateStoredEvent } from "./validate.ts";

const message = (text: unknown): unknown => ({
  type: "user.message",
  body: { content: [{ type: "text", text }] },
});

function refusal(inputs: unknown): { readonly code: ErrorCode; readonly message: string } {
  try {
    validateClientEvents(inputs);
  } catch (error) {
    if (isNightshiftError(error)) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error("nothing was refused");
}

describe("validateClientEvents", () => {
  test("gives back what fits", () => {
    const inputs = [message("hello"), { type: "control.pause", body: { reason: "lunch" } }];
    expect(validateClientEvents(inputs)).toEqual(inputs);
  });

  test.each([
    ["events", null],
    ["events", {}],
    ["events", []],
    ["events[0]", [null]],
    ["events[0]", [[]]],
    ["events[0].type", [{}]],
    ["events[0].type", [{ type: 7, body: {} }]],
    ["events[0].seq", [{ type: "control.stop", body: {}, seq: 4 }]],
    ["events[0].body", [{ type: "control.stop" }]],
    ["events[1].body.content", [message("fine"), { type: "user.message", body: {} }]],
    ["events[0].body.content[0].text", [message(7)]],
    [
      "events[0].body.content[0].type",
      [{ type: "user.message", body: { content: [{ type: "image", text: "" }] } }],
    ],
    ["events[0].body.reson", [{ type: "control.pause", body: { reson: "typo" } }]],
    [
      "events[0].body.content[0].cache",
      [{ type: "user.message", body: { content: [{ type: "text", text: "", cache: 1 }] } }],
    ],
    ["events[0].body.call", [{ type: "user.tool_confirmation", body: { call: "x", result: "allow" } }]],
    ["events[0].body.limits.tokens", [{ type: "control.set_limits", body: { limits: { tokens: 0 } } }]],
  ])("E_EVENT_INVALID names %s", (path, inputs) => {
    const { code, message: text } = refusal(inputs);
    expect(code).toBe("E_EVENT_INVALID");
    expect(text.startsWith(`${path}: `), text).toBe(true);
  });

  test("a reference to a long text is refused: it could be another session's", () => {
    const { code, message: text } = refusal([message({ $blob: "0".repeat(64), bytes: 9000 })]);
    expect(code).toBe("E_EVENT_INVALID");
    expect(text).toContain("events[0].body.content[0].text: must be a text");
  });

  test.each(["session.created", "agent.message", "harness.woke", "constructor", "user.nonsense", ""])(
    "E_EVENT_FORBIDDEN for %j",
    (type) => expect(refusal([{ type, body: {} }]).code).toBe("E_EVENT_FORBIDDEN"),
  );

  test("E_EVENT_TOO_LARGE for more than 50 events or 1 MB", () => {
    const many = (count: number): unknown[] => Array.from({ length: count }, () => message("x"));
    expect(validateClientEvents(many(SUBMISSION_EVENTS_MAX))).toHaveLength(SUBMISSION_EVENTS_MAX);
    expect(refusal(many(SUBMISSION_EVENTS_MAX + 1)).code).toBe("E_EVENT_TOO_LARGE");
    expect(validateClientEvents([message("é".repeat(499_000))])).toHaveLength(1);
    expect(refusal([message("é".repeat(500_001))]).code).toBe("E_EVENT_TOO_LARGE");
  });

  test("what is no JSON is refused with a code", () => {
    const cyclic: Record<string, unknown> = { type: "user.message" };
    cyclic.body = cyclic;
    expect(refusal([cyclic]).code).toBe("E_EVENT_INVALID");
    expect(refusal([message(1n)]).code).toBe("E_EVENT_INVALID");
  });

  test("anything at all is accepted or refused with a code", () => {
    const types = Object.keys(EVENT_VERSIONS);
    const input = fc.record(
      { type: fc.oneof(fc.constantFrom(...types), fc.string()), body: fc.anything({ withBigInt: true }) },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.oneof(fc.array(input), fc.anything()), (inputs) => {
        try {
          for (const { type } of validateClientEvents(inputs)) expect(isClientType(type)).toBe(true);
        } catch (error) {
          expect(isNightshiftError(error), String(error)).toBe(true);
        }
      }),
    );
  });
});

describe("validateStoredEvent", () => {
  const stored = (type: string, body: unknown): SessionEvent =>
    ({ type, body, seq: 3, at: 0 }) as SessionEvent;

  test("is silent about a sound event, also one with fields of its own", () => {
    expect(validateStoredEvent(stored("control.pause", { reason: "lunch", later: true }))).toBeUndefined();
  });

  test("says where an event is wrong", () => {
    expect(validateStoredEvent(stored("harness.woke", { epoch: 0, owner: "", version: "" }))).toMatch(
      /^body\.epoch /,
    );
    expect(validateStoredEvent(stored("harness.woke", null))).toMatch(/^body /);
    expect(validateStoredEvent(stored("toString", {}))).toContain("no type of event");
  });
});
