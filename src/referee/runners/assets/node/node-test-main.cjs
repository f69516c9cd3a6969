"use strict";
/** Runs each test file in a process of its own, as `node --test` does, and grants each a record of its own. */
const { spawn } = require("node:child_process");
const { join, relative, resolve } = require("node:path");
const os = require("node:os");
const { findTestFiles } = require("./test-files.cjs");

const GRANT = "NIGHTSHIFT_GRANT";
const DESCRIPTOR = 3;

function runFile(channel, grant, file, id) {
  const { fileOptions, requires, nodeOptions } = grant.options;
  const argv = [
    ...["--require", join(__dirname, "guard.cjs"), "--import", join(__dirname, "start.mjs")],
    ...[
      "--test-reporter",
      join(__dirname, "node-test-reporter.cjs"),
      "--test-reporter-destination",
      "stdout",
    ],
    ...fileOptions,
    file,
  ];
  channel.write("child", ["id", id, "file", relative(process.cwd(), file)]);
  const child = spawn(process.execPath, argv, {
    env: { ...process.env, [GRANT]: String(DESCRIPTOR) },
    stdio: ["ignore", "inherit", "inherit", "pipe"],
  });
  // A socket: unlike a file or a pipe it cannot be opened by others through /proc.
  child.stdio[DESCRIPTOR].on("error", () => {});
  child.stdio[DESCRIPTOR].end(channel.grantFor(id, "node-test-file", { entry: file, requires, nodeOptions }));
  return new Promise((done) => {
    child.once("error", () => done(1));
    child.once("exit", (code) => {
      channel.write("exited", ["id", id, "code", code ?? 1]);
      done(code ?? 1);
    });
  });
}

async function run(channel, grant) {
  const { patterns, concurrency } = grant.options;
  const files = findTestFiles(process.cwd(), patterns).map((file) => resolve(file));
  if (files.length === 0) process.stdout.write("nightshift: there are no test files\n");
  let next = 0;
  let failed = files.length === 0 ? 1 : 0;
  const work = async () => {
    while (next < files.length) {
      const index = next++;
      if ((await runFile(channel, grant, files[index], `main.${index}`)) !== 0) failed += 1;
    }
  };
  const cores = os.availableParallelism?.() ?? os.cpus().length;
  const lanes = concurrency ?? Math.max(1, cores - 1);
  await Promise.all(Array.from({ length: Math.min(lanes, files.length) }, work));
  channel.write("end", []);
  process.exitCode = failed === 0 ? 0 : 1;
}

function begin(channel, grant) {
  channel.write("begin", ["runner", "node-test"]);
  process[Symbol.for("nightshift.start")] = () => run(channel, grant);
}

module.exports = { begin };
