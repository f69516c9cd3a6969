/** JavaScript with vitest, mocha and jest. */
import { type Field, fieldOf, manifest, put } from "./field.ts";

const IGNORED = "node_modules/\n";

const SLUG = `export function slug(text) {
  return text.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "");
}

export function card(text) {
  return { slug: slug(text), length: text.length, ratio: slug(text).length / text.length };
}
`;

/** Vitest: an umlaut has to become two letters; one test has a snapshot. */
export const slugs: Field = fieldOf(
  {
    name: "slugs",
    files: {
      ".gitignore": IGNORED,
      "package.json": manifest("slugs", { type: "module", scripts: { test: "vitest run" } }),
      "vite.config.js": "export default { test: { include: ['test/**/*.test.js'] } };\n",
      "src/slug.js": SLUG,
      "test/slug.test.js": `import { describe, expect, it } from "vitest";
import { card, slug } from "../src/slug.js";

describe("slug", () => {
  it("joins words", () => {
    expect(slug("Hello, World")).toBe("hello-world");
  });

  it("spells umlauts out", () => {
    expect(slug("Grüße")).toBe("gruesse");
  });
});

describe("card", () => {
  it("is whole", () => {
    expect(card("Öl")).toMatchSnapshot();
  });

  it("has a ratio", () => {
    expect(card("Öl").ratio).toBeCloseTo(1.5, 3);
  });
});
`,
      "test/__snapshots__/slug.test.js.snap": `// Vitest Snapshot v1, https://vitest.dev/guide/snapshot.html

exports[\`card > is whole 1\`] = \`
{
  "length": 2,
  "ratio": 1.5,
  "slug": "oel",
}
\`;
`,
    },
  },
  ["npm", "test"],
  put(
    "src/slug.js",
    `const LETTERS = { ä: "ae", ö: "oe", ü: "ue", ß: "ss" };
${SLUG.replace("text.toLowerCase()", "text.toLowerCase().replace(/[äöüß]/g, (letter) => LETTERS[letter])")}`,
  ),
);

const QUEUE = `exports.Queue = class Queue {
  #items = [];
  push(item, priority = 0) {
    this.#items.push({ item, priority });
  }
  pop() {
    return this.#items.shift()?.item;
  }
  get size() {
    return this.#items.length;
  }
};
`;

/** Mocha with chai: what is urgent has to come first. */
export const queue: Field = fieldOf(
  {
    name: "queue",
    files: {
      ".gitignore": IGNORED,
      ".mocharc.json": '{ "spec": ["test/**/*.spec.js"] }\n',
      "package.json": manifest("queue", { scripts: { test: "mocha" } }),
      "src/queue.js": QUEUE,
      "test/queue.spec.js": `const { expect } = require("chai");
const { Queue } = require("../src/queue.js");

describe("queue", () => {
  it("keeps the order of equals", () => {
    const queue = new Queue();
    queue.push("a");
    queue.push("b");
    expect([queue.pop(), queue.pop()]).to.deep.equal(["a", "b"]);
  });

  it("gives what is urgent first", () => {
    const queue = new Queue();
    queue.push("later", 1);
    queue.push("now", 9);
    expect(queue.pop()).to.equal("now");
    expect(queue.pop()).to.equal("later");
  });

  it("knows its size", () => {
    const queue = new Queue();
    queue.push("a");
    expect(queue.size).to.equal(1);
  });
});
`,
    },
  },
  ["npm", "test"],
  put(
    "src/queue.js",
    QUEUE.replace(
      "this.#items.push({ item, priority });",
      `this.#items.push({ item, priority });
    this.#items.sort((left, right) => right.priority - left.priority);`,
    ),
  ),
);

/** Jest: 1900 was no leap year. */
export const leap: Field = fieldOf(
  {
    name: "leap",
    files: {
      ".gitignore": IGNORED,
      "package.json": manifest("leap", { scripts: { test: "jest" }, jest: { testEnvironment: "node" } }),
      "src/leap.js": "exports.isLeap = (year) => year % 4 === 0;\n",
      "test/leap.test.js": `const { isLeap } = require("../src/leap.js");

test("every fourth year", () => {
  expect(isLeap(2024)).toBe(true);
  expect(isLeap(2023)).toBe(false);
});

test("not every hundredth", () => {
  expect(isLeap(1900)).toBe(false);
  expect(isLeap(2000)).toBe(true);
});
`,
    },
  },
  ["npm", "test"],
  put(
    "src/leap.js",
    "exports.isLeap = (year) => year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);\n",
  ),
);
