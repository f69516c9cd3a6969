"use strict";
/** Starts jest with a reporter and a test runner of the harness's. */
const { join } = require("node:path");
const { grantWorkers, programOf } = require("./workers.cjs");
const witness = require("./witness.cjs");

const RECORD = Symbol.for("nightshift.reporter");

function begin(channel, grant) {
  channel.write("begin", ["runner", "jest"]);
  grantWorkers(channel, "jest-worker", (file) => /[\\/]node_modules[\\/]jest-worker[\\/]/.test(file), {
    nodeOptions: grant.options.nodeOptions,
  });
  // With one worker, tests run in this process.
  witness.offer(channel);
  Object.defineProperty(process, RECORD, {
    configurable: true,
    get: () => {
      delete process[RECORD];
      return channel.write;
    },
  });
  process[Symbol.for("nightshift.start")] = () => {
    const program = programOf("jest");
    process.argv = [
      ...[process.execPath, program, ...grant.options.words],
      ...["--reporters", "default", "--reporters", join(__dirname, "jest-reporter.cjs")],
      ...["--testRunner", join(__dirname, "jest-runner.cjs"), "--watch=false", "--watchAll=false"],
    ];
    require(program);
  };
}

module.exports = { begin };
