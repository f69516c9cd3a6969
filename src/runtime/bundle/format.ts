/**
 * The evidence bundle: one file from which a stranger can see, offline, that a verdict follows from what was found. It
 * is an archive of
 *
 * - `bundle.json`: which session, the head of its log, and a hash of each other file;
 * - `events.ndjson`: the log, each event as it is stored, so that its chain can be computed again;
 * - `blobs/<sha256>`: long texts of these events;
 * - `objects.pack`: base, verified commit and what lies between them, as objects of git.
 *
 * There is one way to write each of these, so a byte that is not as it was written never goes unseen.
 */
import { hash } from "node:crypto";
import * as z from "zod";
import { canonicalJson } from "../../core/contract/canonical.ts";
import { NightshiftError } from "../../core/errors.ts";
import type { SessionId } from "../../core/ids.ts";
import { type ArchivedFile, archiveOf, filesOfArchive } from "../../sandbox/tar.ts";
import type { ImageEvent, ImageSession, LogImage } from "../../store/integrity/contract.ts";

const FORMAT = "nightshift bundle 1";
const MANIFEST = "bundle.json";
const EVENTS = "events.ndjson";
const PACK = "objects.pack";
const BLOBS = "blobs/";
/** A bundle is read into memory. */
export const BUNDLE_BYTES_MAX: number = 1024 ** 3;

const hexHash = z.string().regex(/^[0-9a-f]{64}$/);
const manifestShape = z.strictObject({
  format: z.literal(FORMAT),
  session: z.string().regex(/^sesn_[0-9a-z]{8,40}$/),
  seq: z.int(),
  hash: hexHash,
  files: z.record(z.string(), hexHash),
});
const eventShape = z.strictObject({
  seq: z.int(),
  at: z.number(),
  type: z.string(),
  v: z.int(),
  body: z.string(),
  hash: hexHash,
  erasure: z.nullable(z.strictObject({ bodyHash: hexHash, replacementHash: hexHash })),
});

/** What a bundle holds. */
export interface Bundle {
  readonly sessionId: SessionId;
  readonly head: { readonly seq: number; readonly hash: string };
  readonly events: readonly ImageEvent[];
  readonly blobs: ReadonlyMap<string, string>;
  readonly pack: Buffer;
}

/** As one file. @throws NightshiftError `E_BUNDLE_INVALID` when it would be larger than {@link BUNDLE_BYTES_MAX} */
export function writeBundle({ sessionId, head, events, blobs, pack }: Bundle): Buffer {
  const lines = events.map(({ seq, at, type, v, body, hash: own, erasure }) =>
    canonicalJson({ seq, at, type, v, body, hash: own, erasure }),
  );
  const files: ArchivedFile[] = [
    { path: EVENTS, content: Buffer.from(lines.map((line) => `${line}\n`).join("")) },
    { path: PACK, content: pack },
    ...[...blobs].sort().map(([name, text]) => ({ path: BLOBS + name, content: Buffer.from(text) })),
  ];
  const bytes = files.reduce((sum, { content }) => sum + content.length, 0);
  if (bytes > BUNDLE_BYTES_MAX)
    throw invalid(`it would have ${bytes} bytes; at most ${BUNDLE_BYTES_MAX} are possible`);
  const manifest = {
    ...{ format: FORMAT, session: sessionId, ...head },
    files: Object.fromEntries(files.map(({ path, content }) => [path, sha256(content)])),
  };
  const first = { path: MANIFEST, content: Buffer.from(`${canonicalJson(manifest)}\n`) };
  return archiveOf([first, ...files]);
}

/** A bundle as far as it can be read. */
export interface ReadBundle extends Bundle {
  /** Files that are not what the manifest says; the log's own checks say more exactly what is wrong. */
  readonly damaged: readonly string[];
}

/** @throws NightshiftError `E_BUNDLE_INVALID` */
export function readBundle(archive: Buffer): ReadBundle {
  const files = filesOf(archive);
  const manifest = readManifest(files);
  const expected = [MANIFEST, ...Object.keys(manifest.files)].sort();
  const found = files.map(({ path }) => path).sort();
  const odd = [...new Set([...expected, ...found])].find(
    (path) => !(expected.includes(path) && found.includes(path)),
  );
  if (odd !== undefined || found.length !== expected.length)
    throw invalid(`${odd ?? MANIFEST} is in it, or in its list of files, but not in both`);
  const named = (path: string): Buffer => {
    const file = files.find((each) => each.path === path);
    if (file === undefined) throw invalid(`it has no ${path}`);
    return file.content;
  };
  const blobs = files
    .filter(({ path }) => path.startsWith(BLOBS))
    .map(({ path, content }) => [path.slice(BLOBS.length), content.toString("utf8")] as const);
  return {
    sessionId: manifest.session as SessionId,
    head: { seq: manifest.seq, hash: manifest.hash },
    events: readEvents(named(EVENTS).toString("utf8")),
    blobs: new Map(blobs),
    pack: named(PACK),
    damaged: files
      .filter(({ path, content }) => path !== MANIFEST && sha256(content) !== manifest.files[path])
      .map(({ path }) => path),
  };
}

function filesOf(archive: Buffer): readonly ArchivedFile[] {
  try {
    return filesOfArchive(archive);
  } catch (error) {
    if (error instanceof RangeError) throw invalid(error.message);
    throw error;
  }
}

function readManifest(files: readonly ArchivedFile[]): z.infer<typeof manifestShape> {
  const text = files[0]?.path === MANIFEST ? files[0].content.toString("utf8") : "";
  const manifest = parsed(manifestShape, text.replace(/\n$/, ""));
  if (manifest === undefined || `${canonicalJson(manifest)}\n` !== text)
    throw invalid(`its ${MANIFEST} is none of this format, or is damaged`);
  return manifest;
}

/** What cannot be read of an event has no place in the chain, so the reading stops there. */
function readEvents(text: string): readonly ImageEvent[] {
  const events: ImageEvent[] = [];
  for (const line of text.split("\n").slice(0, -1)) {
    const event = parsed(eventShape, line);
    if (event === undefined || canonicalJson(event) !== line)
      throw invalid(`event ${events.length + 1} cannot be read`);
    events.push({ ...event, appendId: null });
  }
  return events;
}

function parsed<Shape extends z.ZodType>(shape: Shape, text: string): z.infer<Shape> | undefined {
  try {
    return shape.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** The log in it, for the checks that every log goes through. */
export function imageOf({ sessionId, head, events, blobs }: Bundle): LogImage {
  const session: ImageSession = { sessionId, key: 1, ...head, epoch: 0, head: { ...head, epoch: 0 } };
  return {
    problems: [],
    unchecked: [],
    sessions: () => [session],
    lostHead: () => undefined,
    events(_, after, limit) {
      // A whole log has event n at place n - 1.
      const isDense = events[after - 1]?.seq === after || after === 0;
      const rest = isDense ? events.slice(after, after + limit) : events.filter(({ seq }) => seq > after);
      return rest.slice(0, limit);
    },
    blob(name) {
      const text = blobs.get(name);
      if (text === undefined)
        throw new NightshiftError("E_BLOB_MISSING", `blob ${name} is not in the bundle`);
      if (sha256(text) !== name) throw new NightshiftError("E_LOG_CORRUPT", `blob ${name} is damaged`);
      return text;
    },
    close: () => undefined,
  };
}

/** A complaint about a bundle. */
export function invalid(message: string): NightshiftError {
  return new NightshiftError("E_BUNDLE_INVALID", `the bundle cannot be relied on: ${message}`);
}

function sha256(content: string | Buffer): string {
  return hash("sha256", content, "hex");
}
