"use strict";
/** Which files `node --test` would run: patterns as it takes them, or its own ones. */
const { readdirSync, statSync } = require("node:fs");
const { join, relative, resolve } = require("node:path");

const MAJOR = Number(process.versions.node.split(".")[0]);
const EXTENSIONS = process.features.typescript ? "{js,cjs,mjs,ts,cts,mts}" : "{js,cjs,mjs}";
const DEFAULTS = ["*.test", "*-test", "*_test", "test-*", "test", "test/**/*"].map(
  (name) => `**/${name}.${EXTENSIONS}`,
);
const ENTRIES_MAX = 500_000;

/** A glob as a regular expression: `*`, `**`, `?`, `[a-z]`, `{a,b}`, `?(a|b)`. */
function toExpression(glob) {
  let source = "";
  let depth = 0;
  for (let i = 0; i < glob.length; i++) {
    const rest = glob.slice(i);
    const special = /^(?:\*\*\/|\*\*|\?\(|@\(|\*|\?|\[[^\]]+\]|[{}|),])/.exec(rest)?.[0];
    if (special === undefined) source += rest[0].replace(/[.+^$()|[\]\\{}*?]/g, "\\$&");
    else if (special === "**/") source += "(?:[^/]+/)*";
    else if (special === "**") source += ".*";
    else if (special === "*") source += "[^/]*";
    else if (special === "?") source += "[^/]";
    else if (special[0] === "[") source += special.replace(/^\[!/, "[^");
    else if (special === "{" || special.endsWith("(")) {
      source += special === "?(" ? "(?:|" : "(?:";
      depth += 1;
    } else if (depth > 0) {
      source += special === "}" || special === ")" ? ")" : "|";
      if (special === "}" || special === ")") depth -= 1;
    } else source += `\\${special}`;
    if (special !== undefined) i += special.length - 1;
  }
  return new RegExp(`^${source}$`);
}

function walk(folder, found) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.name === "node_modules" || entry.name === ".git") continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) walk(path, found);
    else if (found.push(path) > ENTRIES_MAX)
      throw new Error("nightshift: too many files to look for tests in");
  }
  return found;
}

/** @returns absolute paths, sorted, each once */
function findTestFiles(folder, patterns) {
  const found = new Set();
  let all;
  const matching = (glob) => {
    all ??= walk(folder, []);
    const expression = toExpression(glob.replace(/^\.\//, ""));
    return all.filter((path) => expression.test(relative(folder, path)));
  };
  for (const pattern of patterns.length > 0 ? patterns : DEFAULTS) {
    const path = resolve(folder, pattern);
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat?.isFile()) found.add(path);
    else if (stat?.isDirectory() && MAJOR < 21)
      for (const each of walk(path, [])) /\.[cm]?js$/.test(each) && found.add(each);
    else for (const each of matching(pattern)) found.add(each);
  }
  return [...found].sort();
}

module.exports = { findTestFiles };
