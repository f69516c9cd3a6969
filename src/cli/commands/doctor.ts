/** `doctor`: what of this machine works, and what to do about the rest. It tries things instead of guessing. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, statfsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { isNightshiftError, messageOf } from "../../core/errors.ts";
import { event } from "../../core/events/index.ts";
import { sandboxId, sessionId } from "../../core/ids.ts";
import { NO_REDACTION, seal } from "../../core/seal.ts";
import { MODEL_KEYS } from "../../model/keys.ts";
import { type Settings, targetsOf } from "../../runtime/config.ts";
import { findLeftovers } from "../../runtime/leftovers.ts";
import {
  backendNames,
  createSandboxBackend,
  diagnoseSandbox,
  openStore,
  sandboxWarning,
} from "../../runtime/registry.ts";
import { sessionConfig } from "../../runtime/session-config.ts";
import { systemChance, systemClock } from "../../runtime/system.ts";
import { packageVersion } from "../../runtime/version.ts";
import { type CommandContext, commandLine, type PlaceFlags, settingsFor, withHarness } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { formatDuration, formatQuantity } from "../render/format.ts";
import { factLines, pad, wrap } from "../render/text.ts";
import { installService } from "../service.ts";

/** Flags of `doctor`. */
export interface DoctorFlags extends PlaceFlags {
  readonly json?: boolean;
  readonly installService?: boolean;
}

/** One thing that was looked at. */
interface Finding {
  readonly name: string;
  readonly verdict: "ok" | "warning" | "broken" | "info";
  readonly text: string;
  /** The next step, where something is to be done. */
  readonly fix?: string;
  /** Lines that the next step needs as they are. */
  readonly verbatim?: readonly string[];
}

const PROGRAM_LIMIT_MS = 10_000;

/** Prints what it finds. */
export async function doctor(context: CommandContext, flags: DoctorFlags): Promise<number> {
  const { output } = context;
  if (flags.installService === true) return await addService(context, flags);
  const findings: Finding[] = [
    {
      name: "nightshift",
      verdict: "ok",
      text: `${packageVersion()} on Node ${process.versions.node}, SQLite ${process.versions.sqlite ?? "?"}`,
    },
  ];
  const settings = await settingsOrFinding(context, flags, findings);
  if (settings !== undefined) {
    findings.push(...(await checkState(settings.stateFolder)));
    findings.push(...(await checkLeftovers(context, flags, settings.stateFolder)));
    findings.push(...(await checkSandboxes(settings)));
    findings.push(...checkKeys(settings));
    findings.push(...(await checkNotify(settings)));
  }
  findings.push(...checkPrograms());
  const broken = findings.filter(({ verdict }) => verdict === "broken");
  if (flags.json === true) output.printJson({ ok: broken.length === 0, findings });
  else for (const finding of findings) output.print(...linesOf(finding, output.width));
  return broken.length === 0 ? EXIT.ok : EXIT.unavailable;
}

async function addService(context: CommandContext, flags: DoctorFlags): Promise<number> {
  const { output, environment } = context;
  const { stateFolder } = await settingsFor(context, flags);
  const { path, keyFile, commands } = installService({
    stateFolder,
    environment,
    node: process.execPath,
    program: process.argv[1] ?? "",
    platform: process.platform,
  });
  if (flags.json === true) {
    output.printJson({ path, key_file: keyFile, commands });
    return EXIT.ok;
  }
  output.print(...factLines("wrote", path, output.width));
  output.print(
    ...wrap(`keys of models go into ${keyFile}, a line NAME=value each, readable by you only`, output.width),
  );
  output.note("nothing was started; next:", ...commands.map((command) => `  ${command}`));
  return EXIT.ok;
}

const LEAD_WIDTH = 18;

function linesOf({ name, verdict, text, fix, verbatim = [] }: Finding, width: number): string[] {
  const mark = { ok: "ok  ", warning: "warn", broken: "FAIL", info: "    " }[verdict];
  const lines = [text, ...(fix === undefined ? [] : [`fix: ${fix}`])];
  const told = lines
    .flatMap((line) => wrap(line, width - LEAD_WIDTH - 3))
    .map(
      (line, index) =>
        `${index === 0 ? `${mark} ${pad(name, LEAD_WIDTH - 3)}` : " ".repeat(LEAD_WIDTH + 2)} ${line}`,
    );
  return [...told, ...verbatim];
}

async function settingsOrFinding(
  context: CommandContext,
  flags: PlaceFlags,
  findings: Finding[],
): Promise<Settings | undefined> {
  try {
    return await settingsFor(context, flags);
  } catch (error) {
    findings.push(brokenFinding("config", error));
    return undefined;
  }
}

function brokenFinding(name: string, error: unknown): Finding {
  if (!isNightshiftError(error)) return { name, verdict: "broken", text: messageOf(error) };
  return { name, verdict: "broken", text: `${error.code}: ${error.message}`, fix: error.hint };
}

/** Opens a store in a folder beside the real one, commits to it and removes it again. */
async function checkState(stateFolder: string): Promise<Finding[]> {
  const place = nearestFolder(stateFolder);
  const exists = place === stateFolder;
  const text = `${stateFolder}${exists ? "" : " (will be made)"}, ${fileSystemName(place)}`;
  const findings: Finding[] = [];
  try {
    const durationMs = await tryStore(place);
    findings.push({ name: "state", verdict: "ok", text });
    findings.push({
      name: "commit",
      verdict: "ok",
      text: `written, synced and read back in ${formatDuration(durationMs)}`,
    });
    if (exists) await openAndClose(stateFolder);
  } catch (error) {
    findings.push({ name: "state", verdict: "info", text }, brokenFinding("store", readableError(error)));
  }
  return findings;
}

/** The trial folder is made before the store is asked, so its failure is not one of the store's. */
function readableError(error: unknown): unknown {
  if (isNightshiftError(error)) return error;
  return new Error(`${messageOf(error)}; make the folder writable, or pass --state with another one`);
}

async function tryStore(place: string): Promise<number> {
  const folder = mkdtempSync(join(place, ".nightshift-doctor-"));
  try {
    const store = await openStore("sqlite", {
      folder: join(folder, "state"),
      clock: systemClock,
      probe: { isDead: () => false },
      writer: "inline",
    });
    try {
      const startedMs = systemClock.monotonicMs();
      const config = sessionConfig({ model: "scripted:none", workspace: folder, tools: [] });
      const id = sessionId(systemChance.unique(12));
      const sealed = seal(event("session.created", config), NO_REDACTION);
      await store.create(id, { appendId: "doctor", at: systemClock.wallMs(), events: [sealed] });
      const durationMs = systemClock.monotonicMs() - startedMs;
      await store.getEvents(id, { after: 0, limit: 1 });
      return durationMs;
    } finally {
      await store.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function openAndClose(folder: string): Promise<void> {
  const probe = { isDead: () => false };
  const store = await openStore("sqlite", { folder, clock: systemClock, probe, writer: "inline" });
  await store.close();
}

function nearestFolder(path: string): string {
  for (let each = path; ; each = dirname(each)) {
    if (statSync(each, { throwIfNoEntry: false })?.isDirectory() || dirname(each) === each) return each;
  }
}

/** For people only; what is refused is decided by the store. */
function fileSystemName(folder: string): string {
  const names: { readonly [magic: number]: string } = {
    61267: "ext4",
    1481003842: "xfs",
    2435016766: "btrfs",
    801189825: "zfs",
    16914836: "tmpfs: gone after a restart",
    2035054128: "overlayfs: gone with the container",
    26985: "nfs",
    20859: "smb",
    4283649346: "cifs",
    16914839: "9p",
    1702057286: "fuse",
    4076150800: "f2fs",
    26: "apfs",
  };
  const { type } = statfsSync(folder);
  return names[type] ?? `file system 0x${type.toString(16)}`;
}

/** Only where there is a state folder already: looking makes nothing. */
async function checkLeftovers(
  context: CommandContext,
  flags: PlaceFlags,
  stateFolder: string,
): Promise<Finding[]> {
  if (!existsSync(join(stateFolder, "log.db"))) return [];
  try {
    return await withHarness(context, flags, async (harness) => {
      const workspaces = await harness.workspaces();
      const leftovers = await findLeftovers({ store: harness.store, stateFolder, workspaces });
      if (leftovers.length === 0) return [];
      const text = `${formatQuantity(leftovers.length, "thing")} left behind by crashes`;
      return [{ name: "leftovers", verdict: "warning", text, fix: commandLine(flags, "gc") }];
    });
  } catch (error) {
    return [brokenFinding("leftovers", error)];
  }
}

/** One that isolates is enough: what keeps the others from working is then no more than good to know. */
async function checkSandboxes(settings: Settings): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const name of backendNames("sandbox")) findings.push(await checkSandbox(name, settings));
  if (!findings.some(({ verdict }) => verdict === "ok")) return findings;
  return findings.map((finding) =>
    finding.verdict === "broken" ? { ...finding, verdict: "info" as const } : finding,
  );
}

/** Makes a sandbox and ends it. */
async function checkSandbox(name: string, settings: Settings): Promise<Finding> {
  let folder: string | undefined;
  try {
    folder = mkdtempSync(join(nearestFolder(settings.stateFolder), ".nightshift-doctor-"));
    const backend = await createSandboxBackend(name, { folder: join(folder, "sandboxes", name) });
    const id = sandboxId(sessionId(systemChance.unique(12)), 0);
    const spec = { id, workspace: folder, noContactMs: 60_000, options: {} };
    const startedMs = systemClock.monotonicMs();
    const { handle } = await backend.provision(spec, new AbortController().signal);
    const durationMs = systemClock.monotonicMs() - startedMs;
    await backend.destroy(id, handle);
    const warning = sandboxWarning(name);
    const ready = `ready in ${formatDuration(durationMs)}`;
    return {
      name: `sandbox ${name}`,
      verdict: warning === undefined ? "ok" : "warning",
      text: warning === undefined ? ready : `${ready}; ${warning.replace(/^.*? is /, "")}`,
    };
  } catch (error) {
    const cause = await diagnoseSandbox(name, settings.environment);
    if (cause === undefined) return brokenFinding(`sandbox ${name}`, error);
    const { text, fix, verbatim } = cause;
    const next = { ...(fix !== undefined && { fix }), ...(verbatim !== undefined && { verbatim }) };
    return { name: `sandbox ${name}`, verdict: "broken", text, ...next };
  } finally {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  }
}

function checkKeys({ environment, file }: Settings): Finding[] {
  const variables = new Set<string>();
  for (const { variable } of Object.values(MODEL_KEYS)) if (variable !== undefined) variables.add(variable);
  for (const { key_variable } of Object.values(file.providers ?? {}))
    if (key_variable !== undefined) variables.add(key_variable);
  const isSet = (name: string): boolean => (environment[name] ?? "") !== "";
  const set = [...variables].filter(isSet);
  if (set.length > 0) return [{ name: "keys", verdict: "ok", text: `${set.join(", ")} set` }];
  return [
    {
      name: "keys",
      verdict: "warning",
      text: "no key of a model provider is set",
      fix: `set one of ${[...variables].join(", ")}; the scripted model and local servers need none`,
    },
  ];
}

/** Whoever is not told at night finds out in the morning. */
async function checkNotify({ environment, file }: Settings): Promise<Finding[]> {
  const hooks = targetsOf(file).filter(({ webhook }) => webhook !== undefined);
  if (hooks.length === 0) return [];
  const { keyOf } = await import("../../runtime/notify/standard-webhooks.ts");
  return hooks.map(({ name, secret_variable: variable = "" }) =>
    keyOf(environment[variable] ?? "") === undefined
      ? {
          name: "notify",
          verdict: "warning",
          text: `${name} cannot be told: ${variable} holds no secret of a web hook`,
          fix: `set ${variable} to the secret that its receiver has: whsec_ and base64 of at least 16 bytes`,
        }
      : { name: "notify", verdict: "ok", text: `${name}: its secret is set` },
  );
}

function checkPrograms(): Finding[] {
  return [
    checkProgram("bash", "broken", "install bash: the agent's commands run in it"),
    checkProgram("git", "warning", "install git: agents expect it"),
    checkProgram("grep", "warning", "install grep: agents expect it"),
  ];
}

function checkProgram(name: string, whenMissing: "broken" | "warning", fix: string): Finding {
  const { stdout, status } = spawnSync(name, ["--version"], { encoding: "utf8", timeout: PROGRAM_LIMIT_MS });
  if (status !== 0) return { name, verdict: whenMissing, text: "not found on the PATH", fix };
  return { name, verdict: "ok", text: stdout.split("\n")[0] ?? "" };
}
