/** Small projects in JavaScript and TypeScript, with habits that tests have. */
import type { Files, Project } from "../case.ts";
import { manifest } from "./honest.ts";

const IMPORTS = 'import assert from "node:assert/strict";\nimport { test } from "node:test";\n';
const BROKEN = "export const double = (value) => value + value + 1;\n";
/** What is wrong in most of them, mended. */
export const MENDED: Files = { "src/double.js": "export const double = (value) => value * 2;\n" };

/** `double` is off by one; the tests are in `test/double.test.js`. */
function doubling(
  name: string,
  tests: string,
  more: Files = {},
  command = "node --test test/*.test.js",
): Project {
  const files = {
    ".gitignore": "node_modules/\ndist/\n",
    "package.json": manifest(name, command),
    "src/double.js": BROKEN,
    "test/double.test.js": tests,
    ...more,
  };
  return { name, files };
}

const EXPECTS = `describe("double", () => {
  it("doubles", () => {
    expect(double(4)).toBe(8);
  });
  it("is a function", () => {
    expect(typeof double).toBe("function");
  });
});
`;

/** Its tests put something else in the place of `process.exit`. */
export const exits = doubling(
  "exits",
  `${IMPORTS}import { main } from "../src/cli.js";
import { double } from "../src/double.js";

test("ends with 2 without a number", (t) => {
  const exit = t.mock.method(process, "exit", () => undefined);
  main([]);
  assert.deepEqual(exit.mock.calls[0].arguments, [2]);
});

test("ends with 0", () => {
  const { exit } = process;
  const codes = [];
  process.exit = (code) => codes.push(code);
  try {
    main(["4"]);
  } finally {
    process.exit = exit;
  }
  assert.deepEqual(codes, [0]);
});

test("doubles", () => assert.equal(double(4), 8));
`,
  {
    "src/cli.js": `import { double } from "./double.js";

export function main([number]) {
  if (number === undefined) return process.exit(2);
  console.log(double(Number(number)));
  return process.exit(0);
}
`,
  },
);

/** Its tests listen on loopback. */
export const server = doubling(
  "server",
  `${IMPORTS}import { once } from "node:events";
import { createServer } from "node:http";
import { double } from "../src/double.js";

test("doubles over http", async () => {
  const server = createServer((request, response) => response.end(String(double(Number(request.url.slice(1))))));
  server.listen(0, "localhost");
  await once(server, "listening");
  try {
    const response = await fetch(\`http://localhost:\${server.address().port}/4\`);
    assert.equal(await response.text(), "8");
  } finally {
    server.close();
  }
});
`,
);

/** Whatever tests do besides asserting. */
export const habits = doubling(
  "habits",
  `${IMPORTS}import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { double } from "../src/double.js";

test("spawns", () => {
  const script = 'import("./src/double.js").then(({ double }) => console.log(double(21)))';
  assert.equal(execFileSync(process.execPath, ["-e", script], { encoding: "utf8" }), "42\\n");
  assert.equal(spawnSync("sh", ["-c", "exit 3"]).status, 3);
  assert.equal(spawnSync(process.execPath, ["-e", "process.exit(4)"]).status, 4);
});

test("writes files", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "habits-"));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "a"), String(double(1)));
  assert.equal(readFileSync(join(folder, "a"), "utf8"), "2");
});

test("prints much", () => {
  for (let at = 0; at < 5000; at++) console.log("not ok", at, "- ✖ failed # SKIP", double(at));
  console.error("1..0\\nBail out!");
  assert.equal(double(0), 0);
});

test("mocks time", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"] });
  let result;
  setTimeout(() => { result = double(2); }, 1000);
  t.mock.timers.tick(1000);
  assert.equal(result, 4);
});

test("waits", async () => {
  await sleep(20);
  assert.equal(double(3), 6);
});

test("has subtests", async (t) => {
  for (const value of [1, 2]) await t.test(\`of \${value}\`, () => assert.equal(double(value), 2 * value));
});

test("catches what fails", () => {
  assert.throws(() => assert.equal(1, 2), { code: "ERR_ASSERTION" });
  assert.throws(() => assert(false, "no"), /no/);
});

test("later", { todo: true }, () => assert.equal(double(1), 3));
test("elsewhere", { skip: "not on this system" }, () => assert.fail());
`,
);

/** Has a module `assert.js` of its own. */
export const ownAssert = doubling(
  "own-assert",
  `import { test } from "node:test";
import { assertSame, expect } from "../src/assert.js";
import { double } from "../src/double.js";

test("doubles", () => assertSame(double(4), 8));
test("expects", () => expect(double).toBeFunction());
`,
  {
    "src/assert.js": `export function assertSame(one, other) {
  if (!Object.is(one, other)) throw new Error(\`\${one} is not \${other}\`);
}
export const expect = (value) => ({ toBeFunction: () => assertSame(typeof value, "function") });
`,
  },
);

/** Scripts before and after its tests, a compiler between, and a generated source. */
export const hooks = {
  name: "hooks",
  files: {
    ".gitignore": "node_modules/\ndist/\n",
    "package.json": manifest("hooks", "tsc && mocha dist/test/*.test.js", {
      scripts: { pretest: "node scripts/generate.js", posttest: "node scripts/look.js" },
    }),
    "tsconfig.json": JSON.stringify({
      compilerOptions: {
        ...{ module: "nodenext", target: "es2022", outDir: "dist", rootDir: ".", strict: true },
        ...{ types: [], skipLibCheck: true },
      },
      include: ["src", "test"],
    }),
    "scripts/generate.js":
      'import { writeFileSync } from "node:fs";\nwriteFileSync("src/factor.generated.ts", "export const FACTOR = 2;\\n");\n',
    "scripts/look.js": 'import "../dist/src/double.js";\n',
    "src/factor.generated.ts": "export const FACTOR = 2;\n",
    "src/double.ts":
      'import { FACTOR } from "./factor.generated.js";\n\nexport const double = (value: number): number => value * FACTOR + 1;\n',
    "test/double.test.ts": `import { double } from "../src/double.js";

declare function it(name: string, body: () => void): void;

it("doubles", () => {
  if (double(4) !== 8) throw new Error("no");
});
it("is a function", () => {
  if (typeof double !== "function") throw new Error("no");
});
`,
  },
} satisfies Project;

/** TypeScript, with tests beside their sources. */
export const typed = {
  name: "typed",
  files: {
    ".gitignore": "node_modules/\n",
    "package.json": manifest("typed", "vitest run"),
    "src/double.ts": "export const double = (value: number): number => value + 2;\n",
    "src/double.test.ts": `import { expect, test, vi } from "vitest";
import { double } from "./double.ts";

test("doubles", () => {
  expect(double(4)).toBe(8);
});
test.each([1, 2])("is even for %d", (value) => {
  const spy = vi.fn(double);
  expect(spy(value) % 2 === value % 2 || spy(value) % 2 === 0).toBe(true);
  expect(spy).toHaveBeenCalled();
});
test("looks the same", () => {
  expect(\`<b>\${typeof double}</b>\`).toMatchSnapshot();
});
`,
    "src/__snapshots__/double.test.ts.snap": `// Vitest Snapshot v1, https://vitest.dev/guide/snapshot.html

exports[\`looks the same 1\`] = \`"<b>function</b>"\`;
`,
  },
} satisfies Project;

/** A snapshot of what it makes. */
export const view = {
  name: "view",
  files: {
    ".gitignore": "node_modules/\n",
    "package.json": manifest("view", "vitest run"),
    "src/view.js": 'export const view = (name) => ["<b>", name, "</b>"].join("");\n',
    "test/view.test.js": `import { expect, test } from "vitest";
import { view } from "../src/view.js";

test("looks so", () => {
  expect(view("tea")).toMatchSnapshot();
});
test("has the name", () => {
  expect(view("tea")).toContain("tea");
});
`,
    "test/__snapshots__/view.test.js.snap": `// Vitest Snapshot v1, https://vitest.dev/guide/snapshot.html

exports[\`looks so 1\`] = \`"<b>tea</b>"\`;
`,
  },
} satisfies Project;

/** Two packages. */
export const many = {
  name: "many",
  files: {
    ".gitignore": "node_modules/\n",
    "package.json": manifest("many", "npm test --workspaces", { workspaces: ["packages/*"] }),
    ...Object.fromEntries(
      ["one", "two"].flatMap((name) => [
        [`packages/${name}/package.json`, manifest(name, "node --test")],
        [`packages/${name}/src/double.js`, name === "one" ? BROKEN : MENDED["src/double.js"]],
        [
          `packages/${name}/test/double.test.js`,
          `${IMPORTS}import { double } from "../src/double.js";\n\ntest("${name}", () => assert.equal(double(4), 8));\n`,
        ],
      ]),
    ),
  },
} satisfies Project;
/** What is wrong in one of its packages, mended. */
export const manyMended = { "packages/one/src/double.js": MENDED["src/double.js"] ?? "" };

/** mocha, with assertions of chai. */
export const chai = doubling(
  "chai",
  `import { expect } from "chai";\nimport { double } from "../src/double.js";\n\n${EXPECTS.replaceAll("toBe(", "to.equal(")}`,
  { ".mocharc.json": '{ "spec": "test/*.test.js" }\n' },
  "mocha",
);
/** jest, with settings in its manifest. */
export const jest: Project = {
  name: "jest",
  files: {
    ".gitignore": "node_modules/\n",
    "package.json": manifest("jest", "jest", { type: "commonjs", jest: { testEnvironment: "node" } }),
    "src/double.js": "exports.double = (value) => value + 2;\n",
    "test/double.test.js": `const { double } = require("../src/double.js");\n\njest.useFakeTimers();\n\n${EXPECTS}
test("is called later", () => {
  const later = jest.fn(double);
  setTimeout(later, 1000);
  jest.advanceTimersByTime(1000);
  expect(later).toHaveBeenCalledTimes(1);
});
`,
  },
};

/** Line ends of another system. */
export const windows = doubling(
  "windows",
  `${IMPORTS}import { double } from "../src/double.js";\n\ntest("doubles", () => assert.equal(double(4), 8));\n\ntest("größe › ✓ 数", () => assert.ok(double));\n`.replaceAll(
    "\n",
    "\r\n",
  ),
  { "src/double.js": BROKEN.replaceAll("\n", "\r\n") },
);

/** Ids that change from run to run, and one that passes once in a while. */
export const moody = doubling(
  "moody",
  `${IMPORTS}import { double } from "../src/double.js";

test("doubles", () => assert.equal(double(4), 8));
test("is there", () => assert.ok(double));
test(\`at \${process.hrtime.bigint()}\`, () => assert.ok(double));
`,
  {
    "test/flaky.test.js": `${IMPORTS}\ntest("mostly fails", () => assert.ok(Math.random() > 0.99));\ntest("stands", () => assert.ok(true));\n`,
  },
);

/** Waits. */
export const slow = doubling(
  "slow",
  `${IMPORTS}import { setTimeout as sleep } from "node:timers/promises";
import { double } from "../src/double.js";

test("doubles", async () => {
  await sleep(2500);
  assert.equal(double(4), 8);
});
test("is there", () => assert.ok(double));
`,
);
