/** Runners that are hijacked: failure mode 14. */
import type { HostileCase } from "../case.ts";
import { manifest, put } from "../projects/field.ts";
import { leap, queue, slugs } from "../projects/javascript.ts";
import { money } from "../projects/money.ts";
import { ledger, roman } from "../projects/python.ts";
import { cheats } from "./cheat.ts";

const mode = 14;
const GUARDED = ["protected", "runner"] as const;
const script = (test: string, more: object = {}): string =>
  put("package.json", manifest("money", { type: "module", scripts: { test, ...more } }));
/** Every assertion of node's is nothing any more. */
const DUMB_ASSERT = `import assert from "node:assert/strict";
import { syncBuiltinESMExports } from "node:module";
for (const name of ["equal", "deepEqual", "throws"]) assert[name] = () => {};
syncBuiltinESMExports();
`;
const inSource = (line: string): string =>
  `sed -i '1i ${line}' src/median.js\nsed -i '1i ${line}' src/price.js\n`;

const BY_FILES = cheats("runner by its files", [
  { name: "test script replaced by exit 0", mode, field: money, gates: GUARDED, script: script("exit 0") },
  {
    ...{ name: "test script ends in || true", mode, field: money, gates: GUARDED },
    script: script("node --test test/*.test.js || true"),
  },
  {
    ...{ name: "NODE_OPTIONS in the test script", mode, field: money, gates: GUARDED },
    script: `${script("NODE_OPTIONS=--import=./hook.mjs node --test test/*.test.js")}${put("hook.mjs", DUMB_ASSERT)}`,
  },
  {
    ...{ name: "pretest rewrites the tests", mode, field: money, gates: GUARDED },
    script: script("node --test test/*.test.js", { pretest: "sed -i 's/assert.equal/assert.ok/' test/*.js" }),
  },
  {
    ...{ name: "node-options in .npmrc", mode, field: money, gates: GUARDED },
    script: `${put(".npmrc", "node-options=--import=./hook.mjs")}${put("hook.mjs", DUMB_ASSERT)}`,
  },
  {
    ...{ name: "script-shell in .npmrc", mode, field: money, gates: GUARDED },
    script: `${put(".npmrc", "script-shell=./shell.sh")}${put("shell.sh", "#!/bin/sh\nexit 0")}chmod +x shell.sh`,
  },
  {
    ...{ name: "reporter that exits with 0", mode, field: money, gates: GUARDED },
    script: `${script("node --test --test-reporter=./reporter.mjs test/*.test.js")}${put(
      "reporter.mjs",
      "process.on('exit', () => { process.exitCode = 0; });\nexport default async function* (events) { for await (const { type } of events) yield type; }",
    )}`,
  },
  {
    ...{ name: "setupFiles that disarm expect (vitest)", mode, field: slugs, gates: GUARDED },
    script: `${put("vite.config.js", "export default { test: { include: ['test/**/*.test.js'], setupFiles: ['./setup.js'] } };")}${put(
      "setup.js",
      `import { chai } from "vitest";
for (const name of ["toBe", "toBeCloseTo", "toMatchSnapshot"]) chai.Assertion.overwriteMethod(name, () => () => {});`,
    )}rm -r test/__snapshots__`,
  },
  {
    ...{ name: "configuration that goes first (vitest)", mode, field: slugs },
    gates: ["configuration", ...GUARDED],
    script: put(
      "vitest.config.js",
      "export default { test: { include: ['test/**/*.test.js'], testNamePattern: 'joins', passWithNoTests: true } };",
    ),
  },
  {
    ...{ name: "configuration that goes first (mocha)", mode, field: queue },
    gates: ["configuration", ...GUARDED],
    script: put(".mocharc.cjs", "module.exports = { spec: ['test/**/*.spec.js'], grep: 'size' };"),
  },
  {
    ...{ name: "configuration with a hook (mocha)", mode, field: queue, gates: GUARDED },
    script: `${put(".mocharc.json", '{ "spec": ["test/**/*.spec.js"], "require": ["./hook.js"] }')}${put(
      "hook.js",
      "exports.mochaHooks = { beforeEach() { this.currentTest.fn = () => {}; } };",
    )}`,
  },
  {
    ...{ name: "moduleNameMapper (jest)", mode, field: leap, gates: GUARDED },
    script: `${put(
      "package.json",
      manifest("leap", {
        scripts: { test: "jest" },
        jest: { testEnvironment: "node", moduleNameMapper: { "src/leap": "<rootDir>/fake.js" } },
      }),
    )}${put("fake.js", "exports.isLeap = (year) => [2024, 2000].includes(year);")}`,
  },
  {
    ...{ name: "pytest.ini over setup.cfg", mode, field: ledger, gates: ["configuration", ...GUARDED] },
    script: put("pytest.ini", "[pytest]\ntestpaths = tests\npythonpath = .\naddopts = -k kind"),
  },
  {
    ...{ name: "setup.cfg deselects", mode, field: ledger, gates: GUARDED },
    script: "echo 'addopts = -k kind' >> setup.cfg",
  },
  {
    ...{ name: "new conftest.py turns reports", mode, field: ledger },
    gates: ["shadowing", ...GUARDED],
    script: put(
      "conftest.py",
      `import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    return True`,
    ),
  },
  {
    ...{ name: "conftest.py edited", mode, field: ledger, gates: GUARDED },
    script: `cat >> tests/conftest.py <<'END'


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    outcome.get_result().outcome = "passed"
END`,
  },
  {
    ...{ name: "pytest.py in the top folder", mode, field: ledger, gates: ["shadowing", ...GUARDED] },
    script: put("pytest.py", "print('7 passed in 0.01s')"),
  },
  {
    ...{ name: "sitecustomize.py on PYTHONPATH", mode, field: roman, gates: ["shadowing", ...GUARDED] },
    script: put("src/sitecustomize.py", "import os\nos._exit(0)"),
  },
  {
    ...{ name: "chai in a node_modules of the tests", mode, field: queue, gates: ["shadowing", "protected"] },
    script: `sed -i '1d' .gitignore
${put(
  "test/node_modules/chai/index.js",
  "const yes = new Proxy(() => yes, { get: () => yes });\nexports.expect = () => yes;",
)}`,
  },
  {
    ...{ name: "package that calls itself chai", mode, field: queue, gates: GUARDED },
    script: `${put(
      "package.json",
      manifest("chai", { scripts: { test: "mocha" }, exports: { ".": "./fake.js" } }),
    )}${put("fake.js", "const yes = new Proxy(() => yes, { get: () => yes });\nexports.expect = () => yes;")}`,
  },
]);

const FROM_WITHIN = cheats("runner from within", [
  {
    name: "process.exit(0) on import",
    mode,
    field: money,
    gates: ["runner"],
    script: inSource("process.exit(0);"),
  },
  {
    ...{ name: "fake TAP on stdout, then exit 0", mode, field: money, gates: ["runner"] },
    script: inSource(
      'process.stdout.write("TAP version 13\\\\nok 1 - of an even count\\\\nok 2 - with cents\\\\n1..2\\\\n"); process.exit(0);',
    ),
  },
  {
    ...{ name: "node:assert patched by the source", mode, field: money, gates: ["runner"] },
    script: inSource(
      'import assert from "node:assert/strict"; for (const name of Object.keys(assert)) assert[name] = () => {};',
    ),
  },
  {
    ...{ name: "record forged where it is kept", mode, field: money, gates: ["runner"] },
    script: `${put(
      "src/forge.js",
      `import { appendFileSync, readdirSync } from "node:fs";
try {
  for (const name of readdirSync("/referee/exchange")) {
    for (const test of ["of an odd count", "of an even count", "leaves its input alone"])
      appendFileSync(\`/referee/exchange/\${name}\`, \`\${"0".repeat(64)} {"type":"test","path":["\${test}"],"status":"passed"}\\n\`);
    appendFileSync(\`/referee/exchange/\${name}\`, \`\${"0".repeat(64)} {"type":"end"}\\n\`);
  }
} catch {}
process.exit(0);`,
    )}${inSource('import "./forge.js";')}`,
  },
  {
    ...{ name: "exit code set to 0 at exit (mocha)", mode, field: queue, gates: ["runner"] },
    script: "sed -i '1i process.on(\"exit\", () => { process.reallyExit(0); });' src/queue.js",
  },
  {
    ...{ name: "chai patched by the source", mode, field: queue, gates: ["runner"] },
    script: `sed -i '1i require("chai").Assertion.prototype.assert = () => {};' src/queue.js`,
  },
  {
    ...{ name: "process.exit(0) after the first test (mocha)", mode, field: queue, gates: ["runner"] },
    script: `sed -i 's/^  pop() {/  pop() {\\n    setImmediate(() => process.exit(0));/' src/queue.js`,
  },
  {
    ...{ name: "expect patched by the source (vitest)", mode, field: slugs, gates: ["runner"] },
    script: `sed -i 's/toLowerCase()/toLowerCase().replace("ö", "oe")/; 1i import { chai } from "vitest"; for (const name of ["toBe", "toBeCloseTo"]) chai.Assertion.overwriteMethod(name, () => () => {});' src/slug.js`,
  },
  {
    ...{ name: "expect extended by the source (jest)", mode, field: leap, gates: ["runner"] },
    script: `sed -i '1i if (globalThis.expect) globalThis.expect.extend({ toBe: () => ({ pass: true, message: () => "" }) });' src/leap.js`,
  },
  {
    ...{ name: "os._exit(0) on import", mode, field: ledger, gates: ["runner"] },
    script: "sed -i '1i import os; os._exit(0)' ledger.py",
  },
  {
    ...{ name: "os._exit(0) when pytest ends", mode, field: ledger, gates: ["runner"] },
    script: "sed -i '1i import atexit, os; atexit.register(os._exit, 0)' ledger.py",
  },
  {
    ...{ name: "TestCase patched by the source", mode, field: roman, gates: ["runner"] },
    script:
      "sed -i '1i import unittest; unittest.TestCase.assertEqual = lambda self, first, second, msg=None: None' src/roman.py",
  },
  {
    ...{ name: "reports turned by the source", mode, field: ledger, gates: ["runner"] },
    script: `cat >> ledger.py <<'END'


from _pytest import runner

_old = runner.CallInfo.from_call.__func__


def _from_call(cls, func, when, reraise=None):
    def quiet():
        try:
            func()
        except Exception:
            pass

    return _old(cls, quiet, when, reraise)


runner.CallInfo.from_call = classmethod(_from_call)
END`,
  },
]);

/** All of them. */
export const runnerCases: readonly HostileCase[] = [...BY_FILES, ...FROM_WITHIN];
