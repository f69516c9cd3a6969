import fc from "fast-check";
import { expect, test } from "vitest";
import { FrameReader } from "./frames.ts";

test("frames come out as they went in, however the stream is cut", () => {
  const property = fc.property(
    fc.array(fc.string({ unit: "grapheme" }).map((text) => text.replaceAll("\n", ""))),
    fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
    (frames, cuts) => {
      const bytes = Buffer.from(frames.map((frame) => `${frame}\n`).join(""));
      const reader = new FrameReader(10_000);
      const read: string[] = [];
      for (let at = 0, index = 0; at < bytes.length; index++) {
        const length = cuts[index % cuts.length] ?? 1;
        read.push(...reader.push(bytes.subarray(at, at + length)));
        at += length;
      }
      expect(read).toEqual(frames);
    },
  );
  fc.assert(property);
});

test("a frame that is too long is refused before it is whole", () => {
  const reader = new FrameReader(10);
  expect(reader.push(Buffer.from("0123456789\n"))).toEqual(["0123456789"]);
  expect(() => reader.push(Buffer.from("0123456789a"))).toThrow(/exceeds 10 bytes/);
});
