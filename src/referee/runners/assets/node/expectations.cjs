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

/** The same for chai. */
const MUST_FAIL_OF_CHAI = [
  ({ expect }) => expect(1).to.equal(2),
  ({ expect }) => expect(1).to.not.equal(1),
  ({ expect }) => expect({ a: 1 }).to.deep.equal({ a: 2 }),
  ({ expect }) => expect([1]).to.eql([2]),
  ({ expect }) => expect(false).to.be.true,
  ({ expect }) => expect(true).to.be.false,
  ({ expect }) => expect(1).to.be.undefined,
  ({ expect }) => expect(null).to.exist,
  ({ expect }) => expect([1]).to.include(2),
  ({ expect }) => expect([1]).to.have.lengthOf(2),
  ({ expect }) => expect(1).to.be.above(2),
  ({ expect }) => expect({}).to.have.property("a"),
  ({ expect }) => expect(() => {}).to.throw(),
  ({ assert }) => assert.equal(1, 2),
  ({ assert }) => assert.strictEqual(1, 2),
  ({ assert }) => assert.deepEqual([1], [2]),
  ({ assert }) => assert.isTrue(false),
  ({ assert }) => assert.throws(() => {}),
];

module.exports = { MUST_FAIL, MUST_FAIL_OF_CHAI };
