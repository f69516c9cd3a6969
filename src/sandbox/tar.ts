/** Small archives: what images are made from, and what is handed to others as one file. */

/** One entry of an archive; paths are relative and without a final slash. */
export type TarEntry =
  | { readonly type: "folder"; readonly path: string; readonly mode: number }
  | { readonly type: "file"; readonly path: string; readonly mode: number; readonly content: string | Buffer }
  | { readonly type: "link"; readonly path: string; readonly target: string };

const BLOCK = 512;
const NAME_BYTES_MAX = 100;
const FLAGS = { file: "0", link: "2", folder: "5" } as const;

/** The archive (ustar); everything belongs to root and has no age, so the same entries give the same bytes. */
export function tar(entries: readonly TarEntry[]): Buffer {
  const parts = entries.flatMap((entry) => {
    const content = entry.type === "file" ? Buffer.from(entry.content) : Buffer.alloc(0);
    const padding = Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK);
    return [headerOf(entry, content.length), content, padding];
  });
  return Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)]);
}

function headerOf(entry: TarEntry, size: number): Buffer {
  const header = Buffer.alloc(BLOCK);
  const name = entry.type === "folder" ? `${entry.path}/` : entry.path;
  const target = entry.type === "link" ? entry.target : "";
  if (Buffer.byteLength(name) > NAME_BYTES_MAX || Buffer.byteLength(target) > NAME_BYTES_MAX) {
    throw new RangeError(`${name} is too long for this archive`);
  }
  header.write(name, 0);
  header.write(octal(entry.type === "link" ? 0o777 : entry.mode, 8), 100);
  header.write(octal(0, 8), 108);
  header.write(octal(0, 8), 116);
  header.write(octal(size, 12), 124);
  header.write(octal(0, 12), 136);
  header.write(" ".repeat(8), 148);
  header.write(FLAGS[entry.type], 156);
  header.write(target, 157);
  header.write("ustar\u000000", 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${octal(sum, 7)} `, 148);
  return header;
}

function octal(value: number, width: number): string {
  return `${value.toString(8).padStart(width - 1, "0")}\0`;
}

/** A file of an archive. */
export interface ArchivedFile {
  readonly path: string;
  readonly content: Buffer;
}

/** The archive of these files, which anybody may read. */
export function archiveOf(files: readonly ArchivedFile[]): Buffer {
  return tar(files.map(({ path, content }) => ({ type: "file", path, mode: 0o644, content })));
}

/**
 * The files of an archive that {@link archiveOf} has made; any other one is refused, down to the last byte of padding.
 * @throws RangeError that says what is wrong with it
 */
export function filesOfArchive(archive: Buffer): readonly ArchivedFile[] {
  const files: ArchivedFile[] = [];
  let at = 0;
  while (at + BLOCK <= archive.length && archive[at] !== 0) {
    const header = archive.subarray(at, at + BLOCK);
    const path = header.toString("utf8", 0, NAME_BYTES_MAX).replace(/\0.*$/s, "");
    const size = Number.parseInt(header.toString("latin1", 124, 135), 8);
    const entry = { type: "file", path, mode: 0o644, content: "" } as const;
    if (!Number.isSafeInteger(size) || path.length === 0 || !headerOf(entry, size).equals(header))
      throw new RangeError(`the header at byte ${at} is damaged`);
    if (at + BLOCK + size > archive.length) throw new RangeError(`${path} is cut short`);
    const content = archive.subarray(at + BLOCK, at + BLOCK + size);
    files.push({ path, content });
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
  const whole = archiveOf(files);
  if (whole.equals(archive)) return files;
  const place = whole.findIndex((byte, index) => byte !== archive[index]);
  throw new RangeError(
    `byte ${place < 0 ? whole.length : place} of ${archive.length} is not as it was written`,
  );
}
