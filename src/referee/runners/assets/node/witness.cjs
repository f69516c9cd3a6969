"use strict";
/** Hands the record of a process over to the part of it that runs tests: once, to whoever asks first. */
const assertions = require("./assertions.cjs");

const WORKER = Symbol.for("nightshift.worker");

function offer(channel, more) {
  Object.defineProperty(process, WORKER, {
    configurable: true,
    get: () => {
      delete process[WORKER];
      return { ...assertions, ...more, write: channel.write };
    },
  });
}

module.exports = { offer };
