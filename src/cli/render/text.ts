/** Text for terminals: nothing in it may move the cursor, and lines fit. */

/** Escape sequences as a whole: CSI, OSC and other strings, then two-character ones. */
const ESCAPE_SEQUENCES =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: finding control characters is its purpose
  /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]|(?:\u001b[\]PX^_]|[\u0090\u0098\u009d-\u009f])[^\u0007\u001b\u009c]{0,10000}(?:\u0007|\u001b\\|\u009c)|\u001b[ -/]*[0-~]/g;

/** What is left of them, other control characters, and those that reverse or hide text. */
const UNSAFE_CHARACTERS =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: finding control characters is its purpose
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]/gu;

/** Agents and tools print what they like; only letters may reach the terminal. Newlines and tabs stay. */
export function stripControl(text: string): string {
  return text
    .replace(/\r\n/g, "\n")
    .replace(ESCAPE_SEQUENCES, "")
    .replace(UNSAFE_CHARACTERS, "")
    .replace(/\t/g, "  ");
}

/** One line of it. */
export function singleLine(text: string): string {
  return stripControl(text).replace(/\s+/g, " ").trim();
}

const COMBINING = /^\p{Mn}$|^\p{Me}$/u;
const WIDE =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6]$|^[\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]$/u;

/** Columns that a character takes. */
function columnsOf(character: string): number {
  if (character <= "\u02ff") return 1;
  if (COMBINING.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}

/** Columns that a text takes. */
export function textWidth(text: string): number {
  let width = 0;
  for (const character of text) width += columnsOf(character);
  return width;
}

/** At most `width` columns; what is cut off shows as an ellipsis. */
export function truncate(text: string, width: number): string {
  if (text.length <= width && textWidth(text) <= width) return text;
  let kept = "";
  let columns = 0;
  for (const character of text) {
    const next = columnsOf(character);
    if (columns + next > width - 1) break;
    kept += character;
    columns += next;
  }
  return `${kept}…`;
}

/** Lines of at most `width` columns, broken between words where there are any. */
export function wrap(text: string, width: number): string[] {
  return text.split("\n").flatMap((line) => wrapLine(line.trimEnd(), Math.max(8, width)));
}

function wrapLine(line: string, width: number): string[] {
  if (textWidth(line) <= width) return [line];
  const indent = /^ */.exec(line)?.[0].slice(0, width / 2) ?? "";
  const lines: string[] = [];
  let current = "";
  for (const word of line.trimStart().split(/(?<= )/)) {
    if (current !== "" && textWidth(indent + current + word.trimEnd()) > width) {
      lines.push(indent + current.trimEnd());
      current = "";
    }
    current += word;
    while (textWidth(indent + current.trimEnd()) > width) {
      const head = headOf(current, width - indent.length);
      lines.push(indent + head);
      current = current.slice(head.length);
    }
  }
  if (current !== "") lines.push(indent + current.trimEnd());
  return lines;
}

function headOf(text: string, width: number): string {
  let head = "";
  let columns = 0;
  for (const character of text) {
    columns += columnsOf(character);
    if (columns > width && head !== "") break;
    head += character;
  }
  return head;
}

/** Padded on the right to a number of columns. */
export function pad(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - textWidth(text)));
}

const FACT_WIDTH = 9;

/** `label    text`, with the text hanging behind its label over as many lines as it needs. */
export function factLines(label: string, text: string, width: number): string[] {
  return wrap(text, width - FACT_WIDTH).map(
    (line, index) => `${pad(index === 0 ? label : "", FACT_WIDTH)}${line}`,
  );
}
