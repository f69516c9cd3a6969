/** The little of YAML that lockfiles need: top-level blocks, lists in them, quotes. */

/** The indented lines below a top-level key. */
export function blockOf(lines: readonly string[], key: string): readonly string[] {
  const start = lines.findIndex((line) => line.startsWith(`${key}:`));
  if (start === -1) return [];
  const rest = lines.slice(start + 1);
  const end = rest.findIndex((line) => /^[^\s#-]/.test(line));
  return end === -1 ? rest : rest.slice(0, end);
}

/** The entries of a list below a top-level key, in lines or in brackets. */
export function listOf(lines: readonly string[], key: string): readonly string[] {
  const head = lines.find((line) => line.startsWith(`${key}:`)) ?? "";
  const inBrackets = /\[(.*)\]/.exec(head)?.[1];
  if (inBrackets !== undefined)
    return inBrackets
      .split(",")
      .map(unquoted)
      .filter((each) => each !== "");
  return blockOf(lines, key).flatMap((line) => {
    const entry = /^\s*-\s+(.*?)\s*$/.exec(line)?.[1];
    return entry === undefined ? [] : [unquoted(entry)];
  });
}

/** Text without the quotes around it. */
export function unquoted(text: string): string {
  return text.trim().replace(/^(['"])(.*)\1$/, "$2");
}

/** The lines without the top-level blocks of these keys. */
export function withoutBlocks(lines: readonly string[], keys: readonly string[]): readonly string[] {
  let isDropped = false;
  return lines.filter((line) => {
    if (/^[^\s#-]/.test(line)) isDropped = keys.some((key) => line.startsWith(`${key}:`));
    return !isDropped;
  });
}
