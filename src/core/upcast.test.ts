import { describe, expect, test } from "vitest";
import { isNightshiftError, NightshiftError } from "./errors.ts";
import { EVENT_VERSIONS } from "./events/index.ts";
import type { Json } from "./text.ts";
import { type StoredEvent, UPCASTERS, upcast } from "./upcast.ts";

function stored(type: string, v: number): StoredEvent {
  return { seq: 7, at: 1000, type, v, body: "{}" };
}

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return isNightshiftError(error) ? error.code : `uncoded: ${String(error)}`;
  }
  return "nothing was thrown";
}

describe("upcast", () => {
  test("an event of today's version is passed on", () => {
    const body: Json = { reason: "lunch" };
    expect(upcast(stored("control.pause", 1), body)).toEqual({
      type: "control.pause",
      body,
      seq: 7,
      at: 1000,
    });
  });

  test.each([
    ["an unknown type", "agent.telepathy", 1],
    ["a newer version", "control.pause", EVENT_VERSIONS["control.pause"] + 1],
    ["a type that every object seems to have", "constructor", 1],
    ["a type that every object seems to have", "__proto__", 1],
  ])("%s is E_EVENT_NEWER and names the place", (_what, type, v) => {
    expect(codeOf(() => upcast(stored(type, v), {}))).toBe("E_EVENT_NEWER");
    expect(() => upcast(stored(type, v), {})).toThrowError(new RegExp(`event 7 is ${type} version ${v}`));
  });

  test("old versions are taken up step by step", () => {
    const steps = {
      "control.pause@-1": (body: Json): Json => ({ ...(body as object), second: 2 }),
      "control.pause@0": (body: Json): Json => ({ ...(body as object), third: 3 }),
    };
    const { body } = upcast(stored("control.pause", -1), { first: 1 }, steps);
    expect(body).toEqual({ first: 1, second: 2, third: 3 });
  });

  test("a missing step is a bug of ours", () => {
    expect(() => upcast(stored("control.pause", 0), {})).toThrowError(NightshiftError);
    expect(codeOf(() => upcast(stored("control.pause", 0), {}))).toBe("E_INTERNAL");
  });

  test("every version below today's has its step", () => {
    const missing = Object.entries(EVENT_VERSIONS).flatMap(([type, newest]) =>
      Array.from({ length: newest - 1 }, (_, index) => `${type}@${index + 1}`).filter(
        (step) => UPCASTERS[step] === undefined,
      ),
    );
    expect(missing).toEqual([]);
  });
});
