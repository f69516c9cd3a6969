"use strict";
/** Processes and threads that a runner starts to run tests in, each granted a record of its own. */
const childProcess = require("node:child_process");
const workerThreads = require("node:worker_threads");
const { syncBuiltinESMExports } = require("node:module");
const { join } = require("node:path");
const { existsSync, readFileSync } = require("node:fs");

const VARIABLE = "NIGHTSHIFT_GRANT";
const GUARD = join(__dirname, "guard.cjs");

/**
 * Grants a record to each worker. Must be called before the runner is loaded.
 * @param isWorker - is this file a runner's own worker? Others that it starts get nothing.
 */
function grantWorkers(channel, role, isWorker, more) {
  let count = 0;
  const { fork } = childProcess;
  const { Worker, setEnvironmentData } = workerThreads;

  function grant() {
    const id = `main.${count++}`;
    channel.write("worker", ["id", id]);
    return channel.grantFor(id, role, more);
  }

  childProcess.fork = (file, argv, options) => {
    const given = (Array.isArray(argv) ? options : argv) ?? {};
    const words = Array.isArray(argv) ? argv : [];
    if (!isWorker(String(file))) return fork(file, words, given);
    const each = typeof given.stdio === "string" ? given.stdio : given.silent ? "pipe" : "inherit";
    const stdio = Array.isArray(given.stdio) ? [...given.stdio] : [each, each, each, "ipc"];
    const descriptor = stdio.push("pipe") - 1;
    const child = fork(file, words, {
      ...given,
      stdio,
      env: { ...(given.env ?? process.env), [VARIABLE]: String(descriptor) },
      execArgv: ["--require", GUARD, ...(given.execArgv ?? process.execArgv)],
    });
    // A socket: unlike a file or a pipe it cannot be opened by others through /proc.
    child.stdio[descriptor].on("error", () => {});
    child.stdio[descriptor].end(grant());
    return child;
  };

  workerThreads.Worker = class extends Worker {
    constructor(file, options = {}) {
      if (!isWorker(String(file))) {
        super(file, options);
        return;
      }
      setEnvironmentData(VARIABLE, grant());
      try {
        super(file, {
          ...options,
          execArgv: ["--require", GUARD, ...(options.execArgv ?? process.execArgv)],
        });
      } finally {
        setEnvironmentData(VARIABLE, undefined);
      }
    }
  };
  syncBuiltinESMExports();
}

/** The folder of a package as the project has it: in this folder's `node_modules` or in one above. */
function packageFolder(name) {
  for (let folder = process.cwd(); ; folder = join(folder, "..")) {
    const found = join(folder, "node_modules", name);
    if (existsSync(join(found, "package.json"))) return found;
    if (folder === join(folder, "..")) throw new Error(`nightshift: the package ${name} is not installed`);
  }
}

/** A package's own program. Never `node_modules/.bin`: what lies there is easily swapped. */
function programOf(name, program = name) {
  const folder = packageFolder(name);
  const { bin } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return join(folder, typeof bin === "string" ? bin : bin[program]);
}

module.exports = { grantWorkers, packageFolder, programOf };
