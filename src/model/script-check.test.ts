import fc from "fast-check";
import { expect, test } from "vitest";
import { isPlainScript } from "./script-check.ts";
import { scriptSchema } from "./script-schema.ts";

const EVERYTHING = {
  variables: { file: "notes.md", "": "x" },
  attempts_file: "attempts",
  requests_file: "requests",
  turns: [
    {
      thinking: "First I look.",
      signature: "signed",
      redacted_thinking: "data",
      text: "Looking.",
      tools: [
        { name: "read", input: { path: ["a", 1, null, { deep: true }] } },
        { name: "bash", raw: "{" },
      ],
      usage: {
        input_tokens: 1,
        output_tokens: 2,
        cache_read_input_tokens: 3,
        cache_creation_input_tokens: 4,
      },
      stop: "tool_use",
      delay_ms: 1,
      chunk_delay_ms: 2,
      chunk_chars: 3,
      fail: [
        { kind: "status", status: 529, headers: { "retry-after": "1" }, error_type: "e", message: "m" },
        { kind: "reset" },
        { kind: "cut", after_chunks: 2 },
        { kind: "no_finish" },
        { kind: "silence" },
        { kind: "garbage", after_chunks: 0 },
        { kind: "error_event", error_type: "overloaded_error" },
      ],
      fail_always: { kind: "reset" },
    },
    { text: "", usage: null },
  ],
};

/** Places in a value: each a path of keys. */
function placesIn(value: unknown, path: readonly (string | number)[] = []): (readonly (string | number)[])[] {
  if (typeof value !== "object" || value === null) return [path];
  const keys: (string | number)[] = Array.isArray(value) ? [...value.keys()] : Object.keys(value);
  return [
    path,
    ...keys.flatMap((key) => placesIn((value as { [key: string]: unknown })[key], [...path, key])),
  ];
}

function changedAt(value: unknown, path: readonly (string | number)[], to: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return to;
  if (Array.isArray(value)) return value.with(Number(key), changedAt(value[Number(key)], rest, to));
  const object = value as { readonly [key: string]: unknown };
  return { ...object, [key]: changedAt(object[key], rest, to) };
}

test("it knows every field of a script", () => {
  const { "": _, ...variables } = EVERYTHING.variables;
  expect(isPlainScript({ ...EVERYTHING, variables })).toBe(true);
});

test("what it accepts, the schema accepts unchanged, whatever is put in whichever place", () => {
  const strange = fc.oneof(
    fc.jsonValue(),
    fc.constantFrom(-1, 0.5, 399, 600, 1e99, 2 ** 60, "", "x".repeat(5000), "x".repeat(20_000), [], {}, null),
    fc.constantFrom(JSON.parse('{"__proto__": "x"}') as object, { kind: "status" }, { unknown: 1 }),
  );
  const places = placesIn(EVERYTHING);
  fc.assert(
    fc.property(fc.constantFrom(...places), strange, (place, value) => {
      const script = changedAt(EVERYTHING, place, value);
      if (!isPlainScript(script)) return;
      expect(scriptSchema.parse(script)).toEqual(script);
    }),
    { numRuns: 3000 },
  );
});

test.each([
  {},
  [],
  null,
  "turns",
  { turns: [{ text: 1 }] },
  { turns: [{ unknown: 1 }] },
  { turns: [], more: 1 },
])("it accepts no %j", (value) => expect(isPlainScript(value)).toBe(false));
