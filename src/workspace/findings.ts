/** What a look at a workspace finds. */
import type { SkippedFile } from "./contract.ts";
import { SKIPPED_MAX } from "./contract.ts";
import { type BytePath, readablePath } from "./paths.ts";

/** How git notes down a file. */
export type FileMode = "100644" | "100755" | "120000";

/** One file whose content is to be that. */
export interface FoundFile {
  readonly path: BytePath;
  readonly mode: FileMode;
  readonly blob: string;
}

/** What was known of a file when it was last read: it need not be read again while its stamp is the same. */
export interface KnownFile {
  readonly stamp: string;
  /** Empty: as in the base. */
  readonly blob: string;
}

/** How a workspace differs from its base. */
export class Findings {
  /** Gone with all that is below, before any of the files is put. */
  readonly removals: BytePath[] = [];
  readonly files: FoundFile[] = [];
  readonly known = new Map<BytePath, KnownFile>();
  readonly changedSubmodules = new Set<BytePath>();
  readonly skipped: SkippedFile[] = [];
  skippedCount = 0;

  /** Notes down what cannot be kept. */
  skip(path: BytePath, reason: SkippedFile["reason"]): void {
    this.skippedCount++;
    if (this.skipped.length < SKIPPED_MAX) this.skipped.push({ path: readablePath(path), reason });
  }
}
