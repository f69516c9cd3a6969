"use strict";
/** What people see of a test file. The record is kept elsewhere; this only hands over where the events come from. */
const { Transform } = require("node:stream");
const { inspect } = require("node:util");

const SIGNS = { "test:pass": "✔", "test:fail": "✖" };

function render({ type, data }) {
  const sign = SIGNS[type];
  if (sign === undefined || data.name.startsWith("nightshift: ")) return "";
  const note = data.skip !== undefined ? " # SKIP" : data.todo !== undefined ? " # TODO" : "";
  const indent = "  ".repeat(data.nesting);
  const line = `${indent}${sign} ${data.name}${note}\n`;
  const error = data.details?.error;
  if (type === "test:pass" || error === undefined || error.failureType === "subtestsFailed") return line;
  return `${line}${inspect(error.cause ?? error).replace(/^/gm, `${indent}    `)}\n`;
}

const reporter = new Transform({
  writableObjectMode: true,
  transform(event, _encoding, done) {
    done(null, render(event));
  },
});
reporter.once("pipe", (source) => process[Symbol.for("nightshift.source")]?.(source));

module.exports = reporter;
