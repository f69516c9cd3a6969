"use strict";
/** Expectations on the `expect` of vitest or jest, each of which must throw. */
const MUST_FAIL = [
  (expect) => expect(1).toBe(2),
  (expect) => expect(1).not.toBe(1),
  (expect) => expect({ a: 1 }).toEqual({ a: 2 }),
  (expect) => expect([1]).not.toEqual([1]),
  (expect) => expect({ a: 1 }).toStrictEqual({ a: 2 }),
  (expect) => expect({ a: 1 }).toMatchObject({ a: 2 }),
  (expect) => expect({ a: 1 }).toHaveProperty("b"),
  (expect) => expect(0).toBeTruthy(),
  (expect) => expect(1).toBeFalsy(),
  (expect) => expect(undefined).toBeDefined(),
  (expect) => expect(1).toBeUndefined(),
  (expect) => expect(1).toBeNull(),
  (expect) => expect(1).toBeNaN(),
  (expect) => expect([1]).toContain(2),
  (expect) => expect([{ a: 1 }]).toContainEqual({ a: 2 }),
  (expect) => expect([1]).toHaveLength(2),
  (expect) => expect("a").toMatch(/b/),
  (expect) => expect(1).toBeGreaterThan(2),
  (expect) => expect(1).toBeLessThan(0),
  (expect) => expect(1).toBeCloseTo(2),
  (expect) => expect([]).toBeInstanceOf(Map),
  (expect) => expect(() => {}).toThrow(),
];

module.exports = { MUST_FAIL };
