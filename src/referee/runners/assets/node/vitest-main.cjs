"use strict";
/** Starts vitest with a reporter and a runner of the harness's. */
const { join, relative } = require("node:path");
const { pathToFileURL } = require("node:url");
const { existsSync } = require("node:fs");
const { grantWorkers, packageFolder, programOf } = require("./workers.cjs");

const RUNNER = join(__dirname, "vitest-runner.mjs");
/** Pools whose workers can be granted a record. */
const POOLS = new Set(["forks", "threads"]);

const STATUS = { passed: "passed", failed: "failed", skipped: "skipped", pending: "failed" };

class Recorder {
  #channel;
  #folder = process.cwd();
  #hasEnded = false;
  #isConfirming = new Map();

  constructor(channel) {
    this.#channel = channel;
  }

  onInit(vitest) {
    this.#prepare(vitest.projects ?? []);
  }

  onTestRunStart(specifications) {
    this.#prepare(specifications.map(({ project }) => project));
  }

  /** Only a runner in the worker itself knows what a test has come to. */
  #prepare(projects) {
    for (const project of projects) {
      if (this.#isConfirming.has(project)) continue;
      const { config } = project;
      const isConfirming = POOLS.has(config.pool) && !config.runner && !config.browser?.enabled;
      this.#isConfirming.set(project, isConfirming);
      if (isConfirming) config.runner = RUNNER;
    }
  }

  onTestRunEnd(modules, errors) {
    for (const module of modules) this.#module(module);
    for (const error of errors)
      this.#test("", ["outside of the tests", String(error?.message)], "failed", false);
    if (!this.#hasEnded) this.#channel.write("end", []);
    this.#hasEnded = true;
  }

  /** What vitest 1 and 2 call instead, with the tasks themselves. */
  onFinished(files, errors) {
    if (this.#hasEnded) return;
    const confirming = new Map(
      [...this.#isConfirming].map(([project, is]) => [project.getName?.() ?? project.name ?? "", is]),
    );
    for (const each of files) {
      const { projectName = "" } = each;
      const isConfirmed = confirming.get(projectName) === true && POOLS.has(each.pool ?? "forks");
      const file = relative(this.#folder, each.filepath);
      this.#task(each, file, projectName ? [`[${projectName}]`] : [], isConfirmed);
    }
    this.onTestRunEnd([], errors);
  }

  #task(task, file, path, isConfirmed) {
    const hasFailed = task.result?.state === "fail";
    if (task.tasks === undefined) {
      const status = hasFailed ? "failed" : task.result?.state === "pass" ? "passed" : "skipped";
      this.#test(file, path, status, isConfirmed);
      return;
    }
    if (hasFailed && task.result.errors?.length > 0) this.#test(file, path, "failed", isConfirmed);
    for (const each of task.tasks) this.#task(each, file, [...path, each.name], isConfirmed);
  }

  #module(module) {
    const file = relative(this.#folder, module.moduleId);
    const { name } = module.project;
    const path = name ? [`[${name}]`] : [];
    const pool = module.task?.pool ?? module.project.config.pool;
    const isConfirmed = this.#isConfirming.get(module.project) === true && POOLS.has(pool);
    if (module.errors().length > 0) this.#test(file, path, "failed", isConfirmed);
    this.#children(module.children, file, path, isConfirmed);
  }

  #children(children, file, above, isConfirmed) {
    for (const child of children) {
      const path = [...above, child.name];
      if (child.type === "suite") {
        if (child.errors().length > 0) this.#test(file, path, "failed", isConfirmed);
        this.#children(child.children, file, path, isConfirmed);
      } else {
        this.#test(file, path, STATUS[child.result().state] ?? "failed", isConfirmed);
      }
    }
  }

  #test(file, path, status, isConfirmed) {
    this.#channel.write("test", ["file", file, "path", path, "status", status, "confirm", isConfirmed]);
  }
}

async function run(channel, grant) {
  const folder = packageFolder("vitest");
  const { words } = grant.options;
  process.env.VITEST ??= "true";
  process.argv = [process.execPath, programOf("vitest"), ...words];
  const { parseCLI, startVitest } = await import(pathToFileURL(join(folder, "dist/node.js")));
  const { filter, options } = parseCLI(["vitest", "run", ...words.filter((word) => word !== "run")]);
  const vitest = await startVitest("test", filter, {
    ...options,
    run: true,
    watch: false,
    reporter: undefined,
    reporters: ["default", new Recorder(channel)],
  });
  await vitest.exit();
}

function begin(channel, grant) {
  channel.write("begin", ["runner", "vitest"]);
  const folder = packageFolder("vitest");
  const legacy = join(folder, "dist/runners.js");
  grantWorkers(
    channel,
    "vitest-worker",
    (file) => /[\\/]node_modules[\\/](?:vitest|tinypool)[\\/]/.test(file) && !file.includes("watchdog"),
    {
      nodeOptions: grant.options.nodeOptions,
      index: join(folder, "dist/index.js"),
      runners: existsSync(legacy) ? legacy : "",
    },
  );
  process[Symbol.for("nightshift.start")] = () => run(channel, grant);
}

module.exports = { begin };
