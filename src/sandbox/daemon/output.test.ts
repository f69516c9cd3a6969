import fc from "fast-check";
import { expect, test } from "vitest";
import { OutputKeeper } from "./output.ts";

function keep(
  chunks: readonly Uint8Array[],
  bytesMax: number,
  note = "",
): { output: string; droppedBytes: number } {
  const keeper = new OutputKeeper(bytesMax);
  const reused = Buffer.alloc(Math.max(1, ...chunks.map(({ length }) => length)));
  for (const chunk of chunks) {
    reused.set(chunk);
    keeper.push(reused.subarray(0, chunk.length));
  }
  return keeper.finish(note);
}

test("what fits is kept as it is", () => {
  const chunks = [Buffer.from("one "), Buffer.from("zwölf"), Buffer.alloc(0)];
  expect(keep(chunks, 10)).toEqual({ output: "one zwölf", droppedBytes: 0 });
  expect(keep([], 10)).toEqual({ output: "", droppedBytes: 0 });
});

test("a note becomes the last line", () => {
  expect(keep([Buffer.from("text")], 100, "[note]").output).toBe("text\n[note]");
  expect(keep([Buffer.from("text\n")], 100, "[note]").output).toBe("text\n[note]");
  expect(keep([], 100, "[note]").output).toBe("[note]");
});

test("a long output keeps its head and its tail, whatever its chunks", () => {
  const text = Array.from({ length: 5000 }, (_, index) => `${index}\n`).join("");
  const expected = keep([Buffer.from(text)], 1000);
  expect(expected.output).toMatch(/^0\n1\n[\s\S]*\[\.\.\. \d+ bytes dropped \.\.\.\][\s\S]*4998\n4999\n$/);
  for (const size of [1, 7, 999, 1000, 1001, 4096]) {
    const bytes = Buffer.from(text);
    const chunks: Buffer[] = [];
    for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size));
    expect(keep(chunks, 1000)).toEqual(expected);
  }
});

test("for any bytes: within the limit, no character cut, nothing lost uncounted", () => {
  const chunk = fc.oneof(
    fc.uint8Array({ maxLength: 400 }),
    fc.string({ unit: "grapheme", maxLength: 100 }).map((text) => Buffer.from(text)),
  );
  const property = fc.property(
    fc.array(chunk, { maxLength: 12 }),
    fc.integer({ min: 1, max: 1500 }),
    fc.constantFrom("", "[ended by signal SIGSEGV]"),
    (chunks, bytesMax, note) => {
      const whole = Buffer.concat(chunks).toString();
      const { output, droppedBytes } = keep(chunks, bytesMax, note);
      expect(Buffer.byteLength(output)).toBeLessThanOrEqual(bytesMax);
      // A limit without room for the note itself is nobody's.
      if (droppedBytes > 0 || bytesMax < 64) return;
      expect(output.startsWith(whole)).toBe(true);
      expect(output.endsWith(note)).toBe(true);
    },
  );
  fc.assert(property, { numRuns: 300 });
});

test("valid text stays valid when it is cut", () => {
  const property = fc.property(fc.string({ unit: "grapheme", minLength: 200, maxLength: 2000 }), (text) => {
    const { output } = keep([Buffer.from(text)], 300);
    expect(output.includes("\uFFFD") && !text.includes("\uFFFD")).toBe(false);
  });
  fc.assert(property, { numRuns: 200 });
});
