"use strict";
/**
 * Loaded with `--require` before anything of the project. Takes what the process was granted, makes assertions
 * unchangeable, and hands the record to the part that knows the runner. Without a grant it does nothing, so it may be
 * loaded by every process below.
 */
const { isMainThread, getEnvironmentData, setEnvironmentData } = require("node:worker_threads");
const { openChannel, readAll, parse } = require("./channel.cjs");

const VARIABLE = "NIGHTSHIFT_GRANT";
const ROLES = new Set([
  "jest-main",
  "jest-worker",
  "mocha-main",
  "node-test-main",
  "node-test-file",
  "vitest-main",
  "vitest-worker",
]);

function takeGrant() {
  if (!isMainThread) {
    const grant = getEnvironmentData(VARIABLE);
    setEnvironmentData(VARIABLE, undefined);
    return grant;
  }
  const descriptor = process.env[VARIABLE];
  delete process.env[VARIABLE];
  return descriptor === undefined ? undefined : readAll(Number(descriptor));
}

/** Processes that tests start are none of ours. */
function hideFromChildren() {
  const at = process.execArgv.findIndex(
    (each, index, all) => each === "--require" && all[index + 1] === __filename,
  );
  if (at >= 0) process.execArgv.splice(at, 2);
}

/** The signal would open a debugger, and a debugger reads closures. */
function refuseDebugger() {
  if (!isMainThread) return;
  process.on("SIGUSR1", () => {});
}

const grantText = takeGrant();
hideFromChildren();
if (grantText !== undefined) {
  const grant = parse(grantText);
  if (!ROLES.has(grant.role)) throw new Error(`nightshift: there is no role ${grant.role}`);
  refuseDebugger();
  require("./assertions.cjs").freeze();
  const channel = openChannel(grant);
  grant.key = "";
  // Processes that tests start get what the project has asked for; this one was given it as arguments.
  if (grant.nodeOptions !== undefined) process.env.NODE_OPTIONS = grant.nodeOptions;
  require(`./${grant.role}.cjs`).begin(channel, grant);
}
for (const name of Object.keys(require.cache)) {
  if (name.startsWith(__dirname)) delete require.cache[name];
}
