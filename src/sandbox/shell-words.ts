/** Words as a shell has to be told them. */

/** One word, whatever is in it. */
export function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** A command of these words. */
export function commandOf(argv: readonly string[]): string {
  return argv.map(quoted).join(" ");
}
