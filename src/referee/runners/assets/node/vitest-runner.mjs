/** The runner in a worker of vitest: notes what it has itself seen of each test, in the record of this process. */
import { createRequire } from "node:module";
import { relative } from "node:path";
import { pathToFileURL } from "node:url";

const { write, lockPrototype, survivorsOf, survivorsOfAssert, index, runners } =
  process[Symbol.for("nightshift.worker")];
const { MUST_FAIL } = createRequire(import.meta.url)("./expectations.cjs");
const vitest = await import(pathToFileURL(index));
const Base = vitest.TestRunner ?? (await import(pathToFileURL(runners))).VitestTestRunner;

const folder = process.cwd();
const { expect } = vitest;
const { freeze, defineProperty } = Object;
/** By test: is it meant to fail, and has its last try come to its end? */
const expectFailure = new WeakMap();
const ends = new WeakMap();
const uncurry = Function.prototype.bind.bind(Function.prototype.call);
const get = uncurry(WeakMap.prototype.get);
const set = uncurry(WeakMap.prototype.set);
const GLOBALS = ["test", "it", "describe"];

function pathOf(test) {
  const path = [];
  let size = 0;
  for (let each = test; each !== undefined && each !== test.file; each = each.suite) {
    // Vitest 1 has a suite without a name around everything.
    if (each === test || each.name !== "")
      defineProperty(path, size++, { value: each.name, enumerable: true });
  }
  const { projectName } = test.file;
  const ordered = [];
  let at = 0;
  if (projectName) defineProperty(ordered, at++, { value: `[${projectName}]`, enumerable: true });
  for (let i = size - 1; i >= 0; i--) defineProperty(ordered, at++, { value: path[i], enumerable: true });
  return ordered;
}

function survivors(globals, file) {
  let found = survivorsOf(MUST_FAIL, expect);
  if (found === "" && globals.expect !== undefined) found = survivorsOf(MUST_FAIL, globalThis.expect);
  if (found === "") found = survivorsOfAssert(file);
  for (let i = 0; i < GLOBALS.length; i++) {
    const name = GLOBALS[i];
    if (found === "" && globals[name] !== undefined && globals[name] !== globalThis[name])
      found = `${name} is another`;
  }
  return found;
}

// biome-ignore lint/style/noDefaultExport: vitest takes a runner from there
export default class NightshiftRunner extends Base {
  #globals = {
    expect: globalThis.expect,
    test: globalThis.test,
    it: globalThis.it,
    describe: globalThis.describe,
  };

  onBeforeRunTask(test) {
    set(expectFailure, test, test.fails === true);
    return super.onBeforeRunTask?.(test);
  }

  onBeforeTryTask(test, options) {
    set(ends, test, false);
    return super.onBeforeTryTask?.(test, options);
  }

  /** Called when nothing has been thrown; throws itself when the number of assertions is not what was announced. */
  onAfterTryTask(test, options) {
    const answer = super.onAfterTryTask?.(test, options);
    if (typeof answer?.then !== "function") {
      set(ends, test, true);
      return answer;
    }
    return (async () => {
      await answer;
      set(ends, test, true);
    })();
  }

  onAfterRunTask(test) {
    const hasPassed = test.result?.state === "pass" && get(ends, test) !== get(expectFailure, test);
    const file = relative(folder, test.file.filepath);
    write("seen", ["file", file, "path", pathOf(test), "status", hasPassed ? "passed" : "failed"]);
    return super.onAfterRunTask?.(test);
  }

  async onAfterRunSuite(suite) {
    await super.onAfterRunSuite?.(suite);
    if (suite.filepath === undefined) return;
    write("canary", ["survivors", survivors(this.#globals, suite.filepath)]);
    write("settled", []);
  }
}
freeze(NightshiftRunner);
lockPrototype(NightshiftRunner.prototype);
