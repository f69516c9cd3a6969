"use strict";
/** Starts mocha with a reporter of the harness's, in the process that runs the tests. */
const childProcess = require("node:child_process");
const { createRequire, syncBuiltinESMExports } = require("node:module");
const { join, relative } = require("node:path");
const { pathToFileURL } = require("node:url");
const { lockPrototype, survivorsOf, survivorsOfAssert } = require("./assertions.cjs");
const { MUST_FAIL_OF_CHAI } = require("./expectations.cjs");
const { packageFolder, programOf } = require("./workers.cjs");

const { apply, defineProperty } = Reflect;
const GRANT = "NIGHTSHIFT_GRANT";
const REPORTER = Symbol.for("nightshift.reporter");
/** What tests are written with, in all of mocha's interfaces. */
const GLOBALS = ["it", "specify", "describe", "context", "test", "suite"];

/** What mocha starts when it starts itself anew. */
const OWN_PROGRAM = /[\\/]node_modules[\\/]mocha[\\/](?:bin|lib[\\/]cli)[\\/]\w+\.js$/;

const uncurry = Function.prototype.bind.bind(Function.prototype.call);
const get = uncurry(WeakMap.prototype.get);
const set = uncurry(WeakMap.prototype.set);

/** By test: has its function come to its end? */
const ends = new WeakMap();

/** Tests see the functions that mocha has made; while their files are loaded, nobody gives them others. */
function watchGlobals() {
  const replaced = { name: "" };
  let isLoading = false;
  const follow = (name) => {
    let value = globalThis[name];
    defineProperty(globalThis, name, {
      configurable: true,
      enumerable: true,
      get: () => value,
      set: (next) => {
        if (!isLoading && replaced.name === "" && next !== value) replaced.name = name;
        value = next;
      },
    });
  };
  return {
    replaced,
    /** Around what mocha itself does. */
    open: () => {
      isLoading = true;
    },
    close: () => {
      isLoading = false;
      for (const name of GLOBALS) {
        const descriptor = Object.getOwnPropertyDescriptor(globalThis, name);
        if (descriptor !== undefined && "value" in descriptor) follow(name);
      }
    },
  };
}

function pathOf(test) {
  let path = [];
  for (let each = test; each?.parent !== undefined || each === test; each = each.parent) {
    if (each !== test && each.root) break;
    const longer = [];
    defineProperty(longer, 0, { value: each.title, enumerable: true });
    for (let i = 0; i < path.length; i++) defineProperty(longer, i + 1, { value: path[i], enumerable: true });
    path = longer;
  }
  return path;
}

/** Listens where mocha's runner emits, before anybody else can. */
function recorder(channel, watched, chai) {
  const folder = process.cwd();
  const note = (test, status) =>
    channel.write("test", [
      "file",
      relative(folder, test.file ?? ""),
      "path",
      pathOf(test),
      "status",
      status,
    ]);
  const survivors = () => {
    if (watched.replaced.name !== "") return `${watched.replaced.name} is another`;
    const found = survivorsOfAssert(join(folder, "test.js"));
    return found === "" && chai !== undefined ? survivorsOf(MUST_FAIL_OF_CHAI, chai) : found;
  };
  return (runner) => {
    const { emit } = runner;
    defineProperty(runner, "emit", {
      value: (type, test, ...rest) => {
        if (type === "pass") note(test, get(ends, test) === true ? "passed" : "failed");
        if (type === "fail") note(test, "failed");
        if (type === "pending") note(test, "skipped");
        if (type === "end") {
          channel.write("canary", ["survivors", survivors()]);
          channel.write("end", []);
        }
        return apply(emit, runner, [type, test, ...rest]);
      },
    });
  };
}

/** The parts of mocha that decide what passes. */
async function sealMocha(folder, watched) {
  const load = async (name) => {
    const module = await import(pathToFileURL(join(folder, `lib/${name}.js`)));
    return module.default ?? Object.values(module)[0];
  };
  const [Runner, Runnable, Suite] = [await load("runner"), await load("runnable"), await load("suite")];
  const { run } = Runnable.prototype;
  Runnable.prototype.run = function (done) {
    set(ends, this, false);
    return apply(run, this, [
      (error) => {
        set(ends, this, error === undefined || error === null);
        done(error);
      },
    ]);
  };
  const { emit } = Suite.prototype;
  Suite.prototype.emit = function (type, ...rest) {
    if (type !== "pre-require") return apply(emit, this, [type, ...rest]);
    watched.open();
    try {
      return apply(emit, this, [type, ...rest]);
    } finally {
      watched.close();
    }
  };
  lockPrototype(Runnable.prototype);
  lockPrototype(Runner.prototype);
}

/** Chai as the tests get it, if the project has it. */
async function loadChai() {
  try {
    return await import(pathToFileURL(createRequire(join(process.cwd(), "test.js")).resolve("chai")));
  } catch {
    return undefined;
  }
}

/** Mocha starts itself anew when it is given options for node. */
function followSpawn(channel) {
  const { spawn } = childProcess;
  childProcess.spawn = (file, argv, options) => {
    const isOwn = (word) => OWN_PROGRAM.test(word);
    if (!Array.isArray(argv) || !argv.some(isOwn)) return spawn(file, argv, options);
    const id = "main.0";
    channel.write("child", ["id", id, "file", ""]);
    const words = argv.map((word) => (isOwn(word) ? join(__dirname, "main.cjs") : word));
    const child = spawn(file, ["--require", join(__dirname, "guard.cjs"), ...words], {
      ...options,
      env: { ...process.env, [GRANT]: "3" },
      stdio: ["inherit", "inherit", "inherit", "pipe"],
    });
    child.stdio[3].on("error", () => {});
    child.stdio[3].end(channel.grantFor(id, "mocha-main", { isChild: true }));
    child.once("exit", (code) => {
      channel.write("exited", ["id", id, "code", code ?? 1]);
      channel.write("end", []);
    });
    return child;
  };
  syncBuiltinESMExports();
}

async function prepare(channel) {
  const watched = watchGlobals();
  await sealMocha(packageFolder("mocha"), watched);
  const attach = recorder(channel, watched, await loadChai());
  defineProperty(process, REPORTER, {
    configurable: true,
    get: () => {
      delete process[REPORTER];
      return attach;
    },
  });
}

function begin(channel, grant) {
  channel.write("begin", ["runner", "mocha"]);
  const program = programOf("mocha");
  if (!grant.isChild) followSpawn(channel);
  process[Symbol.for("nightshift.start")] = async () => {
    await prepare(channel);
    const own = ["--no-parallel", "--reporter", join(__dirname, "mocha-reporter.cjs")];
    const words = grant.isChild ? process.argv.slice(2) : [...grant.options.words, ...own];
    process.argv = [process.execPath, program, ...words];
    await import(pathToFileURL(program));
  };
}

module.exports = { begin };
