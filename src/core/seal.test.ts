import { hash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { event } from "./events/index.ts";
import { createRedactor } from "./redact.ts";
import { blobHashes, hydrate, NO_REDACTION, type SealedEvent, seal } from "./seal.ts";
import { BLOB_BYTES_MIN, isBlobRef, type Json } from "./text.ts";

const SECRET = "hunter2/hunter2+hunter2";
const redactor = createRedactor({ secrets: [SECRET] });
const long = (length: number): string => "0123456789abcdef".repeat(Math.ceil(length / 16)).slice(0, length);

function toolUse(input: Json, provider?: { readonly [key: string]: Json }) {
  return event("agent.tool_use", {
    request: 1,
    call: "c1_0",
    provider_call_id: "toolu_1",
    name: "shell",
    input,
    evaluated_permission: "allow",
    effect: "side_effect",
    ...(provider && { provider }),
  });
}

/** What a reader gets: the stored bytes, parsed and hydrated. */
function readBack(sealed: SealedEvent): Json {
  const texts = new Map(sealed.blobs.map((blob) => [blob.hash, blob.text]));
  return hydrate(JSON.parse(sealed.body) as Json, (blobHash) => {
    const text = texts.get(blobHash);
    if (text === undefined) throw new Error(`no blob ${blobHash}`);
    return text;
  });
}

/** Everything that leaves `seal`, as one text. */
function everything(sealed: SealedEvent): string {
  return JSON.stringify([sealed.body, sealed.blobs, sealed.event]);
}

/** JSON with the corners in it: our own key, deep nesting, long texts, lone surrogates, `__proto__`. */
const anyKey = fc.oneof(
  fc.string({ maxLength: 8 }),
  fc.constantFrom("$blob", "$$blob", "$$$blob", "__proto__", "constructor", "provider", "text", "bytes"),
);
const anyText = fc.oneof(
  fc.string({ maxLength: 20 }),
  fc.string({ maxLength: 20, unit: "binary" }),
  fc.constantFrom("\ud800", "a\udc00b", "\udc00\ud800", "😀", "\0"),
  fc.nat(3 * BLOB_BYTES_MIN).map(long),
  fc.nat(BLOB_BYTES_MIN).map((length) => "é".repeat(length)),
);
const { json: anyJson } = fc.letrec<{ json: Json }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.oneof(
      anyText,
      fc.integer(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.boolean(),
      fc.constant(null),
    ),
    fc.array(tie("json"), { maxLength: 4 }),
    fc
      .array(fc.tuple(anyKey, tie("json")), { maxLength: 4 })
      .map((entries) => JSON.parse(`{${entries.map(pair).join(",")}}`) as Json),
  ),
}));

function pair([key, value]: [string, Json]): string {
  return `${JSON.stringify(key)}:${JSON.stringify(value)}`;
}

/** What storing may change: `-0` has no JSON form, and a lone surrogate has no UTF-8 form. */
function normalised(value: Json): Json {
  return JSON.parse(JSON.stringify(value).replace(/\\ud[89a-f][0-9a-f]{2}/gi, "\\ufffd")) as Json;
}

describe("round trip", () => {
  test("any JSON reads back as it was given", () => {
    fc.assert(
      fc.property(anyJson, (input) => {
        const sealed = seal(toolUse(input), NO_REDACTION);
        expect(readBack(sealed)).toEqual(JSON.parse(JSON.stringify(sealed.event.body)));
        const { input: stored } = readBack(sealed) as { input: Json };
        expect(JSON.stringify(stored)).toBe(JSON.stringify(normalised(input)));
      }),
      { numRuns: 500 },
    );
  });

  test("the stored bytes are well-formed UTF-8, so that their hash is the same for every reader", () => {
    fc.assert(
      fc.property(anyJson, (input) => {
        const sealed = seal(toolUse(input), NO_REDACTION);
        for (const text of [sealed.body, ...sealed.blobs.map((blob) => blob.text)]) {
          expect(Buffer.from(text).toString()).toBe(text);
        }
      }),
      { numRuns: 200 },
    );
  });

  test("a lone surrogate becomes U+FFFD, in short texts, long ones and keys", () => {
    const sealed = seal(toolUse({ short: "\ud800", long: `${long(9000)}\udc00`, "\udfff": 1 }), NO_REDACTION);
    const expected = { short: "\ufffd", long: `${long(9000)}\ufffd`, "\ufffd": 1 };
    expect(sealed.event.body).toMatchObject({ input: expected });
    expect(readBack(sealed)).toMatchObject({ input: expected });
  });

  test("sealing what was sealed gives the same bytes", () => {
    fc.assert(
      fc.property(anyJson, (input) => {
        const once = seal(toolUse([input, SECRET]), redactor);
        const twice = seal(once.event, redactor);
        expect(twice.body).toBe(once.body);
        expect(twice.blobs).toEqual(once.blobs);
      }),
      { numRuns: 200 },
    );
  });
});

describe("blobs", () => {
  test("texts of more than 8 KB in UTF-8 leave the body, shorter ones stay", () => {
    const sealed = seal(toolUse({ fits: long(8192), not: "é".repeat(4097) }), NO_REDACTION);
    expect(sealed.blobs).toEqual([
      { hash: hash("sha256", "é".repeat(4097), "hex"), text: "é".repeat(4097), bytes: 8194 },
    ]);
    const { input } = JSON.parse(sealed.body) as { input: { fits: Json; not: Json } };
    expect(input.fits).toBe(long(8192));
    expect(isBlobRef(input.not)).toBe(true);
  });

  test("blobHashes names exactly the blobs that a body needs", () => {
    fc.assert(
      fc.property(anyJson, (input) => {
        const sealed = seal(toolUse(input), NO_REDACTION);
        const needed = blobHashes(JSON.parse(sealed.body) as Json);
        expect([...needed].sort()).toEqual([...new Set(sealed.blobs.map((blob) => blob.hash))].sort());
      }),
      { numRuns: 200 },
    );
  });

  test("an object of the user's that looks like a reference is none", () => {
    const forged = { $blob: "0".repeat(64), bytes: 9000 };
    const sealed = seal(toolUse(forged), NO_REDACTION);
    expect(blobHashes(JSON.parse(sealed.body) as Json).size).toBe(0);
    expect(readBack(sealed)).toMatchObject({ input: forged });
  });
});

describe("secrets", () => {
  test("a planted secret survives nowhere: not in the body, the blobs, the event, a key", () => {
    const planted = fc
      .tuple(anyJson, fc.constantFrom("", long(9000)), fc.nat(3))
      .map(([other, padding, how]) => {
        const text = `${padding} ${SECRET}\n${padding}`;
        return (
          [text, { [text]: other }, [other, { deep: [text] }], { [SECRET]: 1, [`${SECRET}!`]: text }][how] ??
          text
        );
      });
    fc.assert(
      fc.property(planted, (input) => {
        expect(everything(seal(toolUse(input), redactor))).not.toContain(SECRET);
      }),
      { numRuns: 300 },
    );
  });

  test("keys that become equal keep their values", () => {
    const twin = createRedactor({ secrets: ["password1", "password2"], rules: [] });
    const sealed = seal(toolUse({ password1: 1, password2: 2 }), twin);
    const { input } = JSON.parse(sealed.body) as { input: { [key: string]: Json } };
    expect(Object.values(input)).toEqual([1, 2]);
  });

  test("an event without secrets is passed on as the same object", () => {
    const input = toolUse({ command: "ls", nested: [{ a: 1 }] });
    expect(seal(input, redactor).event).toBe(input);
  });

  test("a signed thought with a secret in it is dropped whole", () => {
    const thought = event("agent.thinking", {
      request: 1,
      text: `the key is ${SECRET}`,
      provider: { anthropic: { signature: "c2lnbmF0dXJl" } },
    });
    expect(JSON.parse(seal(thought, redactor).body)).toEqual({ request: 1, text: "" });
  });

  test("other signed blocks lose their signature with the secret", () => {
    const call = seal(
      toolUse({ command: `echo ${SECRET}` }, { google: { thoughtSignature: "c2ln" } }),
      redactor,
    );
    expect(JSON.parse(call.body)).toMatchObject({ input: { command: "echo [redacted:secret]" } });
    expect(call.body).not.toContain("thoughtSignature");
    const message = event("agent.message", {
      request: 1,
      content: [{ type: "text", text: SECRET }],
      provider: { openai: { encrypted: "c2ln" } },
    });
    expect(JSON.parse(seal(message, redactor).body)).toEqual({
      request: 1,
      content: [{ type: "text", text: "[redacted:secret]" }],
    });
  });

  test("a signed block without a secret is kept as it is", () => {
    const thought = event("agent.thinking", {
      request: 1,
      text: "nothing to hide",
      provider: { anthropic: { signature: "c2lnbmF0dXJl" } },
    });
    expect(seal(thought, redactor).event).toBe(thought);
  });

  test("a field called provider elsewhere is no signature", () => {
    const input = { provider: "aws", text: `with ${SECRET} in it`, note: "kept" };
    expect(seal(toolUse(input), redactor).event.body).toMatchObject({
      input: { provider: "aws", text: "with [redacted:secret] in it", note: "kept" },
    });
  });
});
