import { expect, test } from "vitest";
import { isNightshiftError } from "../../core/errors.ts";
import { failureAnswer, parseAnswer, parseCommand } from "./protocol.ts";

const REQUEST = {
  execId: "s/c/1",
  incarnation: "i",
  operation: "shell",
  input: { command: "true" },
  limits: { wallMs: 1, outputBytes: 1 },
};

const parse = (value: unknown) => parseCommand(JSON.stringify(value));

test("every command is read back", () => {
  const commands = [
    { method: "hello", protocol: 1, token: "t" },
    { method: "attach", epoch: 3 },
    { method: "execute", request: REQUEST, stream: false },
    { method: "execute", request: { ...REQUEST, expectedBefore: null }, stream: true },
    { method: "execute", request: { ...REQUEST, expectedBefore: "a".repeat(64) }, stream: true },
    { method: "prepare", operation: "edit", input: null },
    { method: "cancel", execId: "s/c/1" },
    { method: "abandon", target: 2 },
    { method: "shutdown" },
  ];
  for (const command of commands) expect(parse({ n: 7, ...command })).toEqual({ n: 7, command });
});

test("anything else is refused", () => {
  const execute = (change: object) => ({ n: 1, method: "execute", request: { ...REQUEST, ...change } });
  const malformed = [
    null,
    [],
    3,
    {},
    { n: 1 },
    { n: -1, method: "shutdown" },
    { n: 1.5, method: "shutdown" },
    { n: 1, method: "toString" },
    { n: 1, method: "attach", epoch: "3" },
    { n: 1, method: "execute" },
    execute({ operation: "format" }),
    execute({ limits: { wallMs: 0, outputBytes: 1 } }),
    execute({ limits: { wallMs: 1e12, outputBytes: 1 } }),
    execute({ limits: { wallMs: 1, outputBytes: 1e12 } }),
    execute({ execId: "x".repeat(300) }),
    execute({ expectedBefore: "short" }),
    { n: 1, method: "prepare", operation: "shell", input: {} },
  ];
  for (const value of malformed) {
    expect(() => parse(value), JSON.stringify(value)).toThrow(/malformed/);
  }
  expect(() => parseCommand("{")).toThrow(/malformed/);
});

test("answers are read back, and nonsense means that this is no daemon", () => {
  expect(parseAnswer('{"n":1,"ok":null}')).toEqual({ n: 1, ok: null });
  expect(parseAnswer('{"n":1,"output":"x"}')).toEqual({ n: 1, output: "x" });
  const failure = failureAnswer(2, new Error("broken"));
  expect(parseAnswer(JSON.stringify(failure))).toEqual(failure);
  const foreign = parseAnswer('{"n":1,"error":{"code":"E_OTHER","message":"m"}}');
  expect(foreign).toEqual({ n: 1, error: { code: "E_INTERNAL", message: "m" } });
  for (const frame of ["", "[]", '{"n":"1"}', '{"n":1,"error":3}']) {
    const parseFrame = (): unknown => parseAnswer(frame);
    expect(parseFrame).toThrow();
    try {
      parseFrame();
    } catch (error) {
      expect(isNightshiftError(error, "E_SANDBOX_LOST")).toBe(true);
    }
  }
});
