import { expect, test } from "vitest";
import { isSetUpFile, namesSetUp } from "./set-up-files.ts";

test.each([
  "package.json",
  "packages/web/package.json",
  "uv.lock",
  "requirements/dev.txt",
  ".npmrc",
  "go.mod",
])("%s may be read by a set-up", (path) => {
  expect(isSetUpFile(path)).toBe(true);
  expect(namesSetUp({ file_path: path, content: "" })).toBe(true);
});

test.each(["src/index.ts", "package.json.bak", "README.md", "go.mod/x"])("%s is not", (path) => {
  expect(isSetUpFile(path)).toBe(false);
  expect(namesSetUp({ file_path: path })).toBe(false);
});

test.each([
  "npm install left-pad",
  "cd packages/web && npm i -D left-pad@1",
  "pnpm -r update",
  "python3 -m pip install -r requirements-dev.txt",
  "cargo add serde",
  "go mod tidy",
  "sed -i 's/1.0.0/1.0.1/' package.json",
  "echo dep==1.0.1 > requirements.txt",
  "git checkout 'packages/web/package-lock.json'",
])("the command %s may change dependencies", (command) => {
  expect(namesSetUp({ command })).toBe(true);
});

test.each([
  "npm test",
  "npm run build && cat notes.txt",
  "go test ./...",
  "cargo build",
  "echo npm; rm -rf build",
  "git config user.name me",
  `: ${"x".repeat(5000)} package.json`,
])("the command %s does not", (command) => {
  expect(namesSetUp({ command })).toBe(false);
});

test.each([null, 3, "package.json", ["package.json"], { file_path: 3 }, {}])(
  "%j is no input of these tools",
  (input) => {
    expect(namesSetUp(input)).toBe(false);
  },
);
