/** Do quotes exist? Looked up in the files as the judge's own sandbox has them. */
import { visible } from "./artefact.ts";
import type { Look } from "./look.ts";

/** Of one file; what comes after it cannot be quoted. The daemon gives no more at once. */
const FILE_BYTES_MAX = 4 * 1024 * 1024;

/** Remembers the files that it has read. */
export class Quotes {
  readonly #look: Look;
  readonly #texts = new Map<string, Promise<string>>();

  constructor(look: Look) {
    this.#look = look;
  }

  /** Is this text in that file, but for white space? */
  async exists(path: string, text: string, signal: AbortSignal): Promise<boolean> {
    const known = this.#texts.get(path) ?? this.#read(path, signal);
    this.#texts.set(path, known);
    const content = await known;
    // Models like to copy the line numbers that `read` shows.
    return [text, text.replace(/^ *\d+\t/gm, "")].some((each) => {
      const wanted = normal(each);
      return wanted !== "" && content.includes(wanted);
    });
  }

  /** Empty for what is no text file in the workspace. */
  async #read(path: string, signal: AbortSignal): Promise<string> {
    const { isError, text } = await this.#look.run("read", { file_path: path }, FILE_BYTES_MAX, signal);
    if (isError) return "";
    const lines = text.split("\n").flatMap((line) => /^\d+\t(.*)$/s.exec(line)?.[1] ?? []);
    return normal(lines.join("\n"));
  }
}

function normal(text: string): string {
  return visible(text).replace(/\s+/g, " ").trim();
}
