/** What a sync costs on this disk at this moment: the part of a turn that no program can make faster. */
import { closeSync, fdatasyncSync, openSync, writeSync } from "node:fs";
import { median } from "./statistics.ts";

const SYNCS = 20;
const APPEND_BYTES = 1400;
/** About what a commit of the store writes. */
const PAGES_BYTES = 5 * 4096;
const FILE_BYTES = 4 * 2 ** 20;

/** Milliseconds per sync. */
export interface SyncTimes {
  /** Of a file that has grown, as a naive log does: its size is written too. */
  readonly grown: number;
  /** Of a file that was written over, as a recycled write-ahead log is. */
  readonly inPlace: number;
}

/** A file of each kind, to be measured between other things. */
export class DiskProbe {
  readonly #grown: number;
  readonly #inPlace: number;
  readonly #times: { readonly grown: number[]; readonly inPlace: number[] } = { grown: [], inPlace: [] };

  /** @param folder - where the files are made */
  constructor(folder: string) {
    this.#grown = openSync(`${folder}/grown`, "w");
    this.#inPlace = openSync(`${folder}/in-place`, "w");
    writeSync(this.#inPlace, Buffer.alloc(FILE_BYTES));
    fdatasyncSync(this.#inPlace);
  }

  /** Syncs some dozen times. */
  measure(): void {
    const line = Buffer.alloc(APPEND_BYTES, "x");
    const pages = Buffer.alloc(PAGES_BYTES, "x");
    for (let index = 0; index < SYNCS; index++) {
      const startedMs = performance.now();
      writeSync(this.#grown, line);
      fdatasyncSync(this.#grown);
      const betweenMs = performance.now();
      writeSync(this.#inPlace, pages, 0, PAGES_BYTES, index * PAGES_BYTES);
      fdatasyncSync(this.#inPlace);
      this.#times.grown.push(betweenMs - startedMs);
      this.#times.inPlace.push(performance.now() - betweenMs);
    }
  }

  /** Medians of all that was measured. */
  get times(): SyncTimes {
    return { grown: median(this.#times.grown), inPlace: median(this.#times.inPlace) };
  }

  /** Gives the files back. */
  close(): void {
    closeSync(this.#grown);
    closeSync(this.#inPlace);
  }
}
