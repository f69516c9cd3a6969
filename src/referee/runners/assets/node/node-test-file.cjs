"use strict";
/**
 * One test file, in a process of its own: the process that runs the tests is the one that keeps the record. Events are
 * taken where node's runner emits them, on the one stream of this process, and what emits them is sealed before any
 * code of the project runs.
 */
const asyncHooks = require("node:async_hooks");
const { createRequire, syncBuiltinESMExports } = require("node:module");
const { join } = require("node:path");
const nodeTest = require("node:test");
const { lock, lockPrototype, survivorsOfAssert } = require("./assertions.cjs");

const { apply, defineProperty, getPrototypeOf } = Reflect;
const { executionAsyncResource, createHook } = asyncHooks;
const START = Symbol.for("nightshift.start");
const SOURCE = Symbol.for("nightshift.source");
const CANARY = "nightshift: before the tests";

/** Turns the events of one process into lines of its record. */
function recorder(channel, entry) {
  const names = { __proto__: null };
  let tests = 0;
  let isNatural = false;
  process.on("beforeExit", () => {
    isNatural = true;
  });

  function pathOf(nesting) {
    const path = [];
    for (let i = 0; i <= nesting; i++) defineProperty(path, i, { value: names[i], enumerable: true });
    return path;
  }

  function note(data, hasPassed) {
    const { nesting, details } = data;
    const failure = details?.error?.failureType;
    if (names[0] === CANARY && nesting === 0) return;
    if (details?.type === "suite" && (hasPassed || failure === "subtestsFailed")) return;
    const isSkipped = data.skip !== undefined || data.todo !== undefined;
    tests += 1;
    const status = isSkipped ? "skipped" : hasPassed ? "passed" : "failed";
    channel.write("test", ["path", pathOf(nesting), "status", status]);
  }

  /** Nothing is reported after the plan of the whole process. */
  function end() {
    const survivors = survivorsOfAssert(entry);
    channel.write("canary", ["survivors", survivors]);
    channel.write("end", ["tests", tests, "natural", isNatural]);
  }

  return (type, data) => {
    if (type === "test:start") names[data.nesting] = data.name;
    if (type === "test:pass") note(data, true);
    if (type === "test:fail") note(data, false);
    if (type === "test:plan" && data.nesting === 0) end();
  };
}

/** The one stream that all events of this process go through. */
function seal(source, note) {
  const { emit } = source;
  defineProperty(source, "emit", {
    value: (type, data) => {
      note(type, data);
      return apply(emit, source, [type, data]);
    },
  });
  lockPrototype(getPrototypeOf(source));
}

/** Node's own objects of suites and tests, whose prototypes decide what passes; nobody needs them but node. */
function sealSuite(suite) {
  const prototype = getPrototypeOf(getPrototypeOf(suite));
  lockPrototype(getPrototypeOf(suite));
  // Its own from now on: the one of AsyncResource is public, and could be made to swallow what a test throws.
  defineProperty(prototype, "runInAsyncScope", { value: prototype.runInAsyncScope });
  lockPrototype(prototype);
  const isTest = (value) => {
    for (let each = value; each !== null && each !== undefined; each = getPrototypeOf(each)) {
      if (each === prototype) return true;
    }
    return false;
  };
  asyncHooks.executionAsyncResource = () => {
    const resource = executionAsyncResource();
    return isTest(resource) ? {} : resource;
  };
  asyncHooks.createHook = (callbacks) => {
    const { init } = callbacks;
    if (typeof init !== "function") return createHook(callbacks);
    return createHook({
      ...callbacks,
      init: (id, type, trigger, resource) => init(id, type, trigger, isTest(resource) ? {} : resource),
    });
  };
  syncBuiltinESMExports();
}

function begin(channel, grant) {
  lock(nodeTest);
  channel.write("begin", ["runner", "node-test"]);
  const note = recorder(channel, grant.entry);
  defineProperty(process, SOURCE, {
    configurable: true,
    value: (source) => {
      delete process[SOURCE];
      seal(source, note);
    },
  });
  defineProperty(process, START, {
    configurable: true,
    value: async () => {
      delete process[START];
      let isSealed = false;
      // A suite is entered whatever the names are that tests are chosen by.
      await nodeTest.describe(CANARY, () => {
        sealSuite(executionAsyncResource());
        isSealed = true;
      });
      await nodeTest.test(CANARY, (context) => lockPrototype(getPrototypeOf(context)));
      if (!isSealed) channel.write("problem", ["message", "node's test runner could not be sealed"]);
      const load = createRequire(join(process.cwd(), "from-the-command-line"));
      for (const each of grant.requires) load(each);
    },
  });
}

module.exports = { begin };
