/** Reading files as blobs of git. */
import { createHash } from "node:crypto";
import { NightshiftError } from "../core/errors.ts";
import type { OpenFile } from "./walk.ts";

const CHUNK_BYTES = 2 ** 20;

/** Takes blobs in, one after the other. */
export interface BlobSink {
  /** Announces the next one. */
  begin(bytes: number): Promise<void>;
  /** The buffer may be used again afterwards. */
  write(chunk: Buffer): Promise<void>;
  end(): Promise<void>;
}

/** A file got shorter while it was read; everything has to be read again. */
export class FileShrank extends Error {}

/** Names of objects in one repository. */
export class BlobReader {
  readonly #algorithm: string;
  readonly #buffer = Buffer.alloc(CHUNK_BYTES);
  readonly #bytesMax: number;
  #bytes = 0;

  /** @param bytesMax - how much may be read in all */
  constructor(objectFormat: string, bytesMax: number) {
    this.#algorithm = objectFormat;
    this.#bytesMax = bytesMax;
  }

  /** The blob's name; its content goes to the sink. What is appended meanwhile is left out. */
  async file(file: OpenFile, sink: BlobSink | undefined): Promise<string> {
    const { size } = file.stats;
    this.#account(size);
    const hash = createHash(this.#algorithm).update(`blob ${size}\0`);
    await sink?.begin(size);
    for (let left = size; left > 0; ) {
      const chunk = file.read(this.#buffer).subarray(0, left);
      if (chunk.length === 0) throw new FileShrank();
      hash.update(chunk);
      await sink?.write(chunk);
      left -= chunk.length;
    }
    await sink?.end();
    return hash.digest("hex");
  }

  /** As {@link BlobReader.file}, for the target of a link. */
  async link(target: Buffer, sink: BlobSink | undefined): Promise<string> {
    this.#account(target.length);
    await sink?.begin(target.length);
    await sink?.write(target);
    await sink?.end();
    return blobName(target, this.#algorithm);
  }

  #account(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes <= this.#bytesMax) return;
    throw new NightshiftError(
      "E_WORKSPACE_TOO_LARGE",
      `the workspace has more than ${this.#bytesMax} bytes of new content`,
    );
  }
}

/** The name that git gives to a blob. */
export function blobName(content: Buffer, objectFormat: string): string {
  return createHash(objectFormat).update(`blob ${content.length}\0`).update(content).digest("hex");
}
