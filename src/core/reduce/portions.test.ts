import fc from "fast-check";
import { expect, test } from "vitest";
import { countOf, kept, type Portions, withLast } from "./portions.ts";

const listOf = (items: readonly number[]): Portions<number> =>
  items.reduce<Portions<number>>((list, item) => withLast(list, item), []);

test("a list has what was added, in order, without what was dropped", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1700 }), fc.integer({ min: 1, max: 7 }), (count, step) => {
      const items = Array.from({ length: count }, (_, index) => index);
      const keep = (item: number): boolean => item % step === 0;
      const list = kept(listOf(items), keep);
      expect(list.flat()).toEqual(items.filter(keep));
      expect(countOf(list)).toBe(list.flat().length);
      expect(list.every((portion) => portion.length > 0)).toBe(true);
    }),
    { numRuns: 30 },
  );
});

test("adding changes no list that there was, and copies little", () => {
  const before = listOf(Array.from({ length: 1200 }, (_, index) => index));
  const copy = structuredClone(before);
  const after = withLast(before, 7);
  expect(before).toEqual(copy);
  expect(after.slice(0, -1)).toEqual(before);
  expect(after[0]).toBe(before[0]);
  expect(countOf(after)).toBe(1201);
});
