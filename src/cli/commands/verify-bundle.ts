/** Bundles of evidence: made by `export`, and checked offline by `verify`. */
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Verdict } from "../../referee/findings.ts";
import { type CheckedBundle, checkBundle } from "../../runtime/bundle/check.ts";
import { BUNDLE_BYTES_MAX, invalid, type ReadBundle, readBundle } from "../../runtime/bundle/format.ts";
import { makeBundle } from "../../runtime/bundle/make.ts";
import { rerunVerdict } from "../../runtime/bundle/rerun.ts";
import type { Settings } from "../../runtime/config.ts";
import { openHarness } from "../../runtime/open.ts";
import { openIntegrity } from "../../runtime/registry.ts";
import { unpackCommits } from "../../workspace/index.ts";
import {
  type CommandContext,
  commandLine,
  findSession,
  type PlaceFlags,
  settingsFor,
  withHarness,
} from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { Interruption } from "../interruption.ts";
import { writeNewFile } from "../new-file.ts";
import { formatBytes, formatQuantity } from "../render/format.ts";
import { factLines } from "../render/text.ts";
import { OUTCOMES, sayVerdict, type VerifyFlags, watch } from "../verdicts.ts";
import { sandboxFor, warnOf } from "./begin.ts";
import { parseHead } from "./repair.ts";

/** Flags of `export`. */
export interface ExportFlags extends PlaceFlags {
  readonly json?: boolean;
}

/** `export <session> <file>`: the newest verdict with everything that it follows from, as one file. */
export function exportBundle(
  context: CommandContext,
  id: string,
  file: string,
  flags: ExportFlags,
): Promise<number> {
  return withHarness(context, flags, async (harness, { stateFolder }) => {
    const { output } = context;
    using interruption = new Interruption();
    const sessionId = await findSession(harness, id);
    const source = {
      store: harness.store,
      integrity: await openIntegrity(harness.store.kind, stateFolder),
      workspaces: await harness.workspaces(),
    };
    const archive = await makeBundle(source, sessionId, interruption.signal);
    const path = resolve(context.directory, file);
    writeNewFile(path, archive);
    const { head } = readBundle(archive);
    const kept = `${head.seq}:${head.hash}`;
    if (flags.json === true)
      output.printJson({ session_id: sessionId, path, bytes: archive.length, head: kept });
    else {
      output.print(`${path}: ${formatBytes(archive.length)}, head ${kept}`);
      output.note(
        "It holds the whole log of the session. Who checks it needs the head from you, not from the file:",
      );
      output.note(`  ${commandLine({}, "verify", file, "--head", kept)}`);
    }
    return EXIT.ok;
  });
}

/** Checks chain, commits and verdicts; `--rerun` runs the checks once more. Ends as the verdict says. */
export async function verifyBundle(
  context: CommandContext,
  path: string,
  flags: VerifyFlags,
): Promise<number> {
  if (statSync(path).size > BUNDLE_BYTES_MAX)
    throw invalid(`it is larger than ${formatBytes(BUNDLE_BYTES_MAX)}`);
  const bundle = readBundle(readFileSync(path));
  const settings = await settingsFor(context, flags);
  using interruption = new Interruption();
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "nightshift-verify-")));
  try {
    const checked = await checkBundle(bundle, {
      ...(flags.head !== undefined && { expectedHead: parseHead(flags.head) }),
      unpack: (pack, base) => {
        const commits = join(folder, "commits");
        mkdirSync(commits);
        return unpackCommits(settings.environment, commits, pack, base, interruption.signal);
      },
    });
    const place = { folder: join(folder, "state"), settings, signal: interruption.signal };
    const again = flags.rerun === true ? await rerun(context, bundle, checked, place, flags) : undefined;
    sayBundle(context, bundle, checked, again, flags);
    return OUTCOMES[(again ?? checked.verdict.body).outcome];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function rerun(
  context: CommandContext,
  { sessionId }: ReadBundle,
  { verdict, commits, config }: CheckedBundle,
  {
    folder,
    settings,
    signal,
  }: { readonly folder: string; readonly settings: Settings; readonly signal: AbortSignal },
  flags: VerifyFlags,
): Promise<Verdict> {
  const { environment, file } = settings;
  const backend = await sandboxFor(flags, settings);
  warnOf(backend, context.output);
  await using harness = await openHarness({ store: "memory", stateFolder: folder, environment, file });
  const own = { ...config, sandbox: { ...config.sandbox, backend } };
  const place = {
    workspaces: await harness.workspaces(),
    parts: await harness.refereeParts(own, sessionId, verdict.layer),
  };
  return await rerunVerdict(place, sessionId, verdict.request, commits, watch(context), signal);
}

function sayBundle(
  context: CommandContext,
  { sessionId, head, events }: ReadBundle,
  { verdict, followed, uncompared }: CheckedBundle,
  again: Verdict | undefined,
  flags: VerifyFlags,
): void {
  const { output } = context;
  const isCompared = flags.head !== undefined;
  const kept = `${head.seq}:${head.hash}`;
  if (flags.json === true) {
    const found = { session_id: sessionId, head: kept, head_compared: isCompared, events: events.length };
    const verdicts = { verdicts_followed: followed, verdicts_not_compared: uncompared };
    output.printJson({ sound: true, ...found, ...verdicts, verdict: verdict.body, rerun: again ?? null });
    return;
  }
  const line = (label: string, text: string): void => output.print(...factLines(label, text, output.width));
  line(
    "bundle",
    `sound: ${formatQuantity(events.length, "event")}, ${formatQuantity(followed, "verdict")} that follow from their evidence`,
  );
  if (uncompared > 0)
    line(
      "",
      `${formatQuantity(uncompared, "earlier verdict")} not compared: files or evidence are not in it`,
    );
  line("session", sessionId);
  line("head", isCompared ? `${kept}, as it should be` : kept);
  line("commit", verdict.body.commit);
  sayVerdict(context, verdict.body);
  if (again !== undefined) {
    line("again", `the checks were run once more here: ${again.outcome}`);
    sayVerdict(context, again);
  }
  if (!isCompared)
    output.note(
      "Damage would show, forgery not: compare the head with one that you had from elsewhere (--head).",
    );
}
