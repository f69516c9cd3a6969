/** Writes the small archives that images are made from. */

/** One entry of an archive; paths are relative and without a final slash. */
export type TarEntry =
  | { readonly type: "folder"; readonly path: string; readonly mode: number }
  | { readonly type: "file"; readonly path: string; readonly mode: number; readonly content: string }
  | { readonly type: "link"; readonly path: string; readonly target: string };

const BLOCK = 512;
const NAME_BYTES_MAX = 100;
const FLAGS = { file: "0", link: "2", folder: "5" } as const;

/** The archive (ustar); everything belongs to root and has no age, so the same entries give the same bytes. */
export function tar(entries: readonly TarEntry[]): Buffer {
  const parts = entries.flatMap((entry) => {
    const content = Buffer.from(entry.type === "file" ? entry.content : "");
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
