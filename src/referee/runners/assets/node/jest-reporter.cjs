"use strict";
/** What the main process of jest has been told of each test. */
const { relative } = require("node:path");

const write = process[Symbol.for("nightshift.reporter")];
const folder = process.cwd();
const STATUS = { passed: "passed", failed: "failed" };

module.exports = class Reporter {
  onRunComplete(_contexts, { testResults }) {
    for (const { testFilePath, testResults: tests, testExecError, failureMessage } of testResults) {
      const file = relative(folder, testFilePath);
      for (const { ancestorTitles, title, status } of tests) {
        const path = [...ancestorTitles, title];
        write("test", ["file", file, "path", path, "status", STATUS[status] ?? "skipped", "confirm", true]);
      }
      const isBroken = testExecError || (failureMessage && tests.every(({ status }) => status !== "failed"));
      if (isBroken) write("test", ["file", file, "path", [], "status", "failed", "confirm", true]);
    }
    write("end", []);
  }
};
