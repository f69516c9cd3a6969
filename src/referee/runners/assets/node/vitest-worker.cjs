"use strict";
/** A worker of vitest. Its runner takes the record, once, before any test file is loaded. */
const { lockPrototype, survivorsOfAssert, survivorsOf } = require("./assertions.cjs");

const WORKER = Symbol.for("nightshift.worker");

function begin(channel, { index, runners }) {
  channel.write("begin", ["runner", "vitest"]);
  Object.defineProperty(process, WORKER, {
    configurable: true,
    get: () => {
      delete process[WORKER];
      return { write: channel.write, lockPrototype, survivorsOf, survivorsOfAssert, index, runners };
    },
  });
}

module.exports = { begin };
