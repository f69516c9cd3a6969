"use strict";
/** A worker of vitest. Its runner takes the record, once, before any test file is loaded. */
const witness = require("./witness.cjs");

function begin(channel, { index, runners }) {
  channel.write("begin", ["runner", "vitest"]);
  witness.offer(channel, { index, runners });
}

module.exports = { begin };
