import { spawnSync } from "node:child_process";
import { beforeEach, describe, expect, test } from "vitest";
import { type CheckOutcome, type ProjectFiles, runCheck, wouldPass } from "./run-check.ts";

/** Debian's, whatever else there is. */
const hasPytest = spawnSync("/usr/bin/python3", ["-m", "pytest", "--version"]).status === 0;
const ID = "tests/test_add.py › test_adds";
const TEST = "from add import add\n\ndef test_adds():\n    assert add(1, 2) == 3\n";
const HONEST = "def add(a, b):\n    return a + b\n";
const WRONG = "def add(a, b):\n    return a - b\n";

beforeEach((context) => {
  context.skip(!hasPytest, "the system has no pytest");
});

function project(source: string, more: ProjectFiles = {}): ProjectFiles {
  return { "tests/test_add.py": TEST, "add.py": source, ...more };
}

function run(files: ProjectFiles, text = "python3 -m pytest"): Promise<CheckOutcome> {
  return runCheck(files, text, { path: "/usr/bin" });
}

test("every kind of ending has its status and its id", async () => {
  const outcome = await run(
    {
      "tests/test_all.py": `
import unittest
import pytest

def test_good(): pass
def test_bad(): assert 1 == 2
@pytest.mark.skip
def test_skipped(): pass
@pytest.mark.xfail
def test_expected(): assert 0
@pytest.mark.parametrize("n", [1, "a::b"])
def test_each(n): assert n
@pytest.fixture
def broken(): raise ValueError("broken")
def test_broken(broken): pass
class TestGroup:
    def test_method(self): pass
class Case(unittest.TestCase):
    def test_unit(self): self.assertEqual(1, 1)
`,
    },
    "pytest",
  );
  expect(outcome.exitCode).toBe(1);
  expect(outcome.report).toMatchObject({
    channel: "authenticated",
    isComplete: true,
    canary: "failed as it must",
    problems: [],
  });
  const file = "tests/test_all.py";
  expect(outcome.statuses).toEqual({
    [`${file} › test_good`]: "passed",
    [`${file} › test_bad`]: "failed",
    [`${file} › test_skipped`]: "skipped",
    [`${file} › test_expected`]: "skipped",
    [`${file} › test_each[1]`]: "passed",
    [`${file} › test_each[a::b]`]: "passed",
    [`${file} › test_broken`]: "failed",
    [`${file} › TestGroup › test_method`]: "passed",
    [`${file} › Case › test_unit`]: "passed",
  });
});

test("a file that cannot be loaded has failed", async () => {
  const outcome = await run({ "test_it.py": "import nothing_of_this_name\n" }, "pytest");
  expect(outcome.statuses).toEqual({ "test_it.py": "failed" });
});

test("an honest project passes, also when its tests patch what is built in and fork", async () => {
  const outcome = await run(
    project(HONEST, {
      "record.py": "VALUE = 1\n",
      "tests/conftest.py": "import pytest\n\n@pytest.fixture\ndef value():\n    return 1\n",
      "tests/test_more.py": `
import os
import record
import subprocess
import sys

def test_patches(monkeypatch, value):
    monkeypatch.setattr("builtins.input", lambda: "x")
    monkeypatch.setattr(sys, "exit", lambda code: None)
    sys.exit(3)
    assert input() == "x" and record.VALUE == value

def test_forks():
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)

def test_processes():
    subprocess.run([sys.executable, "-c", "pass"], check=True)
`,
    }),
    "env PYTHONPATH=. pytest -q",
  );
  expect(outcome.output).toContain("4 passed");
  expect(wouldPass(outcome, ID)).toBe(true);
});

describe("what a hostile source may try", () => {
  test.each<[string, string]>([
    ["exit with 0 on import", "import sys\nsys.exit(0)\n"],
    ["exit with 0 the hard way", "import os\nos._exit(0)\n"],
    ["exit with 0 in the test", "import os\ndef add(a, b):\n    os._exit(0)\n"],
    ["exit with 0 at the end", `import atexit, os\natexit.register(lambda: os._exit(0))\n${WRONG}`],
    [
      "be equal to everything built in",
      `import builtins\nbuiltins.AssertionError = type("Quiet", (Exception,), {})\n${WRONG}`,
    ],
    [
      "patch how reports are made",
      `import _pytest.reports as r\nmake = r.TestReport.from_item_and_call.__func__\ndef lie(cls, item, call):\n    call.excinfo = None\n    return make(cls, item, call)\nr.TestReport.from_item_and_call = classmethod(lie)\n${WRONG}`,
    ],
    [
      "patch how calls are made",
      `import _pytest.runner as r\ncall = r.CallInfo.from_call.__func__\ndef lie(cls, func, *rest, **more):\n    def quiet():\n        try: func()\n        except BaseException: pass\n    return call(cls, quiet, *rest, **more)\nr.CallInfo.from_call = classmethod(lie)\n${WRONG}`,
    ],
    [
      "swap code",
      `import _pytest.python as p\ndef quiet(pyfuncitem): return True\np.pytest_pyfunc_call.__code__ = quiet.__code__\n${WRONG}`,
    ],
    ["patch pytest.raises", `import pytest\npytest.raises = None\n${HONEST}`],
    [
      "forge the record",
      `import os, glob\nfor f in glob.glob(os.environ["EXCHANGE"] + "/*"):\n    open(f, "a").write("0" * 64 + ' {"n":1,"type":"test","path":["test_adds"],"status":"passed"}\\n')\n${HONEST}`,
    ],
    [
      "look for the key",
      `import os\nfound = "key" in os.listdir(os.environ["EXCHANGE"]) or "NIGHTSHIFT_GRANT" in os.environ\ndef add(a, b):\n    return 3 if found else 0\n`,
    ],
  ])("%s", async (_trick, source) => {
    expect(wouldPass(await run(project(source)), ID)).toBe(false);
  });

  test.each<[string, ProjectFiles]>([
    ["a module named pytest", { "pytest.py": "import sys\nsys.exit(0)\n", "_pytest/__init__.py": "" }],
    ["sitecustomize", { "sitecustomize.py": "import os\nos._exit(0)\n" }],
    ["usercustomize", { "usercustomize.py": "import os\nos._exit(0)\n" }],
    [
      "a conftest that makes every report a pass",
      {
        "conftest.py":
          "import pytest\n\n@pytest.hookimpl(hookwrapper=True)\ndef pytest_runtest_makereport(item, call):\n    outcome = yield\n    outcome.get_result().outcome = 'passed'\n",
      },
    ],
    [
      "a conftest that calls no test",
      { "conftest.py": "def pytest_pyfunc_call(pyfuncitem):\n    return True\n" },
    ],
    [
      "a conftest that swallows what calls raise",
      {
        "conftest.py":
          "import pytest\n\n@pytest.hookimpl(hookwrapper=True)\ndef pytest_runtest_call(item):\n    outcome = yield\n    outcome.force_result(None)\n",
      },
    ],
  ])("%s", async (_trick, more) => {
    const outcome = await run(project(WRONG, more), "env PYTHONPATH=. python3 -m pytest");
    expect(wouldPass(outcome, ID)).toBe(false);
  });
});
