"use strict";
/** Keeps `node:assert` what it is, and shows at the end that assertions which must fail still do. */
const Module = require("node:module");
const realAssert = require("node:assert");
const realStrict = require("node:assert/strict");

const { apply, ownKeys, getOwnPropertyDescriptor, defineProperty } = Reflect;
const text = String;
const REAL = { __proto__: null };
for (const prefix of ["", "node:"]) {
  REAL[`${prefix}assert`] = realAssert;
  REAL[`${prefix}assert/strict`] = realStrict;
}

function lock(target) {
  for (const name of ownKeys(target)) {
    const descriptor = getOwnPropertyDescriptor(target, name);
    if (descriptor.configurable && "value" in descriptor) {
      defineProperty(target, name, { ...descriptor, writable: false, configurable: false });
    }
  }
}

/** As {@link lock}, for a prototype whose instances are given methods of their own. */
function lockPrototype(prototype) {
  for (const name of ownKeys(prototype)) {
    const { value, configurable, enumerable } = getOwnPropertyDescriptor(prototype, name);
    if (!configurable || typeof value !== "function" || name === "constructor") continue;
    const set = function (own) {
      if (this === prototype) throw new TypeError(`nightshift: ${text(name)} cannot be replaced`);
      defineProperty(this, name, { value: own, writable: true, configurable: true, enumerable: true });
    };
    defineProperty(prototype, name, { get: () => value, set, configurable: false, enumerable });
  }
}

/**
 * Loaders are replaced by honest tools too (path aliases, compilers), so they may be; but whatever replaces them is
 * not asked about assertions.
 */
function guardLoader(owner, name) {
  const wrap = (load) =>
    function guarded(request) {
      const real = typeof request === "string" ? REAL[request] : undefined;
      // biome-ignore lint/complexity/noArguments: a list of them would be made by an iterator that can be replaced
      return real ?? apply(load, this, arguments);
    };
  let current = wrap(owner[name]);
  defineProperty(owner, name, {
    configurable: false,
    enumerable: true,
    get: () => current,
    set: (load) => {
      current = wrap(load);
    },
  });
}

/** From here on the functions of `node:assert` cannot be replaced; adding others is fine. */
function freeze() {
  for (const target of [
    realAssert,
    realStrict,
    realAssert.AssertionError,
    realAssert.AssertionError.prototype,
  ]) {
    lock(target);
  }
  guardLoader(Module, "_load");
  guardLoader(Module.prototype, "require");
}

/** Assertions on a module that looks like `node:assert`, each of which must throw. */
const MUST_FAIL = [
  (assert) => assert(false),
  (assert) => assert.ok(0),
  (assert) => assert.equal(1, 2),
  (assert) => assert.notEqual(1, 1),
  (assert) => assert.strictEqual(1, 2),
  (assert) => assert.notStrictEqual(1, 1),
  (assert) => assert.deepEqual({ a: 1 }, { a: 2 }),
  (assert) => assert.deepStrictEqual([1], [2]),
  (assert) => assert.notDeepStrictEqual([1], [1]),
  (assert) => assert.throws(() => {}),
  (assert) => assert.match("a", /b/),
  (assert) => assert.fail("as it must"),
  (assert) => assert.ifError(new Error("as it must")),
];

/** What survived though it had to fail, in words; empty when all is well. */
function survivorsOf(attempts, subject) {
  let survivors = "";
  for (let i = 0; i < attempts.length; i++) {
    let hasFailed = false;
    try {
      attempts[i](subject);
    } catch {
      hasFailed = true;
    }
    if (!hasFailed) survivors += `${survivors === "" ? "" : "; "}${attempts[i]}`;
  }
  return survivors;
}

/** `node:assert` as a test file at this path gets it. */
function survivorsOfAssert(path) {
  try {
    return survivorsOf(MUST_FAIL, Module.createRequire(path)("node:assert"));
  } catch {
    return "node:assert cannot be loaded any more";
  }
}

module.exports = { freeze, lock, lockPrototype, survivorsOf, survivorsOfAssert };
