/** The files of one session as they are on disk now: where, of which kind, and how to look at them. */
import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Overlay } from "../sandbox/contract.ts";
import { BlobReader, type BlobSink } from "./blobs.ts";
import type { WorkspaceFiles, WorkspaceLimits } from "./contract.ts";
import type { Findings, KnownFile } from "./findings.ts";
import type { Git } from "./git.ts";
import { IGNORE_QUESTION, Ignores } from "./ignores.ts";
import { overlayOptions, startInView, viewOf } from "./overlay.ts";
import { type BytePath, bytePath } from "./paths.ts";
import { namesIn, type PristineRecord, readJson, type SessionPlace, type SessionRecord } from "./place.ts";
import type { OwnFiles } from "./put-changes.ts";
import { scan } from "./scan.ts";

/** What is needed to look at the files of a session. */
export interface FilesContext {
  readonly git: Git;
  readonly limits: WorkspaceLimits;
  readonly session: SessionPlace;
  readonly record: SessionRecord;
  /** Folder of the pristine checkout's files. */
  readonly checkout: string;
  readonly pristine: PristineRecord;
}

/** What a sandbox is given. */
export function workspaceFilesOf({ session, record, checkout }: FilesContext): WorkspaceFiles {
  const folder = session.generation(record.generation);
  if (record.kind === "copy") return { workspace: join(folder, "copy") };
  return { workspace: session.folder, overlay: overlayOf(session, record, checkout) };
}

/** The overlay of a session's current files. */
export function overlayOf(session: SessionPlace, record: SessionRecord, checkout: string): Overlay {
  return overlayIn(session.generation(record.generation), session, record, checkout);
}

/** The overlay whose own folders are in `folder`. */
export function overlayIn(
  folder: string,
  session: SessionPlace,
  record: SessionRecord,
  checkout: string,
): Overlay {
  const lower = record.included.length > 0 ? [session.included, checkout] : [checkout];
  return { lower, upper: join(folder, "upper"), work: join(folder, "work") };
}

/** The session's current files, for the host to write to. */
export function ownFilesOf({ session, record, checkout }: FilesContext): OwnFiles {
  if (record.kind === "copy")
    return { kind: "copy", folder: join(session.generation(record.generation), "copy") };
  return { kind: "overlay", overlay: overlayOf(session, record, checkout), view: session.view };
}

/** How the session's files differ from the base. Nothing of it is executed, and no path leads out of it. */
export async function findChanges(
  context: FilesContext,
  sink: BlobSink | undefined,
  signal: AbortSignal,
): Promise<Findings> {
  const { session, record, checkout, pristine, limits } = context;
  const view = new IgnoreView(context, signal);
  const isOverlay = record.kind === "overlay";
  const folder = join(session.generation(record.generation), isOverlay ? "upper" : "copy");
  try {
    // It will nearly always be asked, and starts while files are read.
    if (namesIn(folder).length > 0) view.ignores();
    return await scan({
      folder,
      pristine: checkout,
      ...(isOverlay ? { view: () => view.folder() } : {}),
      ignores: () => view.ignores(),
      submodules: new Set(pristine.submodules.map(({ path }) => bytePath(path))),
      largeFiles: new Map(pristine.largeFiles.map(({ path, content }) => [bytePath(path), content])),
      known: readKnown(context),
      beganMs: timeOf(session),
      limits,
      reader: new BlobReader(pristine.objectFormat, limits.totalBytes),
      sink,
      signal,
    });
  } finally {
    view.close();
  }
}

/** Mounts the merged view when it is first needed, with git in it to say what is ignored. */
class IgnoreView {
  readonly #context: FilesContext;
  readonly #signal: AbortSignal;
  #ignores: Ignores | undefined;
  #folder = "";
  #isMounted = false;

  constructor(context: FilesContext, signal: AbortSignal) {
    this.#context = context;
    this.#signal = signal;
  }

  ignores(): Ignores {
    this.#ignores ??= this.#start();
    return this.#ignores;
  }

  async folder(): Promise<string> {
    if (this.#isMounted) return this.#folder;
    const ignores = this.ignores();
    // An answer is the proof that the view is mounted.
    await ignores.select(["." as BytePath]);
    this.#isMounted = true;
    return this.#folder;
  }

  close(): void {
    this.#ignores?.close();
  }

  #start(): Ignores {
    const { git, session, record, checkout } = this.#context;
    const place = { gitFolder: session.repository, workTree: "." };
    if (record.kind === "copy") {
      this.#folder = join(session.generation(record.generation), "copy");
      return new Ignores(git.start({ ...place, folder: this.#folder }, IGNORE_QUESTION), this.#signal);
    }
    const { lower, upper } = overlayOf(session, record, checkout);
    mkdirSync(session.view, { recursive: true });
    const { words, environment } = git.commandOf(place, IGNORE_QUESTION);
    const options = overlayOptions({ lower: [upper, ...lower] });
    const helper = startInView(options, session.view, words, environment);
    this.#folder = viewOf(helper, session.view);
    return new Ignores(helper, this.#signal);
  }
}

/** What the clock of the file system shows. */
function timeOf(session: SessionPlace): number {
  const path = join(session.folder, "now");
  writeFileSync(path, "");
  return statSync(path).mtimeMs;
}

/** What the last look has found; nothing if that was of other files. */
function readKnown({ session, record }: FilesContext): ReadonlyMap<BytePath, KnownFile> {
  const saved = readJson(join(session.generation(record.generation), "known.json"));
  return new Map((saved as [BytePath, KnownFile][] | undefined) ?? []);
}

/** Keeps what was found, to read less the next time. A cache: it may be lost. */
export function saveKnown({ session, record }: FilesContext, known: ReadonlyMap<BytePath, KnownFile>): void {
  writeFileSync(join(session.generation(record.generation), "known.json"), JSON.stringify([...known]));
}

/** Forgets what was found. */
export function forgetKnown(context: FilesContext): void {
  saveKnown(context, new Map());
}
