"use strict";
/**
 * The test runner in a process of jest's: jest-circus, which is watched. What it calls passed has to have been seen to
 * come to its end without throwing.
 */
const { createRequire } = require("node:module");
const { relative } = require("node:path");
const { MUST_FAIL } = require("./expectations.cjs");

const { write, survivorsOf, survivorsOfAssert } = process[Symbol.for("nightshift.worker")];
const folder = process.cwd();

function loadCircus() {
  const fromJest = createRequire(createRequire(`${folder}/from-here.js`).resolve("jest/package.json"));
  const fromRunner = createRequire(fromJest.resolve("jest-cli/package.json"));
  for (const load of [fromJest, fromRunner]) {
    try {
      const circus = load("jest-circus/runner");
      return circus.default ?? circus;
    } catch {
      // It is a dependency of a dependency, and need not lie where this one sees it.
    }
  }
  const core = createRequire(fromRunner.resolve("@jest/core"));
  const circus = createRequire(core.resolve("jest-config"))("jest-circus/runner");
  return circus.default ?? circus;
}

const circus = loadCircus();

function pathOf(test) {
  const path = [test.name];
  for (let each = test.parent; each?.parent !== undefined; each = each.parent) path.unshift(each.name);
  return path;
}

/** Notes each test when it is done. */
function watch(environment, file) {
  const handle = environment.handleTestEvent;
  const ends = new Map();
  environment.handleTestEvent = async (event, state) => {
    const { name, test } = event;
    if (name === "test_fn_start" || name === "test_fn_failure") ends.set(test, false);
    if (name === "test_fn_success") ends.set(test, true);
    if (name === "hook_failure" && test) ends.set(test, false);
    if (name === "test_done" && ends.has(test)) {
      const status = ends.get(test) && test.errors.length === 0 ? "passed" : "failed";
      write("seen", ["file", file, "path", pathOf(test), "status", status]);
    }
    if (handle) await handle.call(environment, event, state);
  };
}

module.exports = async (globalConfig, config, environment, runtime, testPath, send) => {
  watch(environment, relative(folder, testPath));
  const result = await circus(globalConfig, config, environment, runtime, testPath, send);
  const expect = environment.global.expect ?? runtime.requireModuleOrMock(testPath, "@jest/globals").expect;
  write("canary", ["survivors", survivorsOf(MUST_FAIL, expect) || survivorsOfAssert(testPath)]);
  write("settled", []);
  return result;
};
