"use strict";
/** What people see of a run of mocha. The record is kept elsewhere; this only hands over where the events come from. */
const { inspect } = require("node:util");

const attach = process[Symbol.for("nightshift.reporter")];

module.exports = class Reporter {
  constructor(runner) {
    attach(runner);
    const say = (sign, test) => console.log(`${sign} ${test.fullTitle()}`);
    runner.on("pass", (test) => say("✔", test));
    runner.on("pending", (test) => say("-", test));
    runner.on("fail", (test, error) => {
      say("✖", test);
      console.log(inspect(error).replace(/^/gm, "    "));
    });
    runner.once("end", () =>
      console.log(`${runner.stats?.passes ?? 0} passing, ${runner.stats?.failures ?? 0} failing`),
    );
  }
};
