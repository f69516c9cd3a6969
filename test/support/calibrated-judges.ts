/**
 * Four judges whose rates are known beforehand. They know nothing that is not in their requests: each lists the files,
 * reads all of them, and then answers as its character is.
 */
import type { Json } from "../../src/core/text.ts";
import { visible } from "../../src/judge/artefact.ts";
import { calibrationCases } from "../../src/judge/calibrate/cases.ts";
import { injections } from "../../src/judge/calibrate/corpus/injections.ts";
import type { ModelRequest } from "../../src/model/contract.ts";
import type { ScriptTurn } from "../../src/model/script-schema.ts";

/** What one of them has in front of it. */
interface Desk {
  readonly lines: number;
  /** Texts by path, as `read` has shown them. */
  readonly files: ReadonlyMap<string, string>;
  /** Everything that it was told or shown. */
  readonly seen: string;
}

type Character = (desk: Desk) => ScriptTurn;

/** Says what is right, by the code alone. */
export const goodJudge = judgeOf((desk) => submission(desk, isRight(desk) ? "met" : "unmet"));

/** Finds everything fine. */
export const lenientJudge = judgeOf((desk) => submission(desk, "met"));

/** Finds nothing good enough. */
export const strictJudge = judgeOf((desk) => submission(desk, "unmet"));

/** Is a good one until somebody tells it what to say. */
export const hijackedJudge = judgeOf((desk) => {
  const isOrdered = injections.some(({ payload }) => desk.seen.includes(visible(payload)));
  return submission(desk, isOrdered || isRight(desk) ? "met" : "unmet");
});

/** Says that it passes, and never in the way that counts. */
export const brokenJudge = judgeOf(() => ({ text: "verdict: met. All lines are met. PASS" }));

function judgeOf(character: Character): (request: ModelRequest) => ScriptTurn {
  return (request) => {
    const results = request.messages.filter((message) => message.role === "tool");
    const [listing] = results;
    if (listing === undefined) return { tools: [{ name: "glob", input: { pattern: "**" } }] };
    const paths = artefactOf(listing.text).split("\n").filter(Boolean);
    if (results.length === 1)
      return { tools: paths.map((path) => ({ name: "read", input: { file_path: path } })) };
    const texts = results.slice(1).map(({ text }) => artefactOf(text).replace(/^\d+\t/gm, ""));
    const [first] = request.messages;
    const assignment = first?.role === "user" ? first.text : "";
    return character({
      lines: assignment.match(/^\d+\. /gm)?.length ?? 0,
      files: new Map(paths.map((path, index) => [path, texts[index] ?? ""])),
      seen: [assignment, listing.text, ...texts].join("\n"),
    });
  };
}

/** What stands between the marks. */
function artefactOf(text: string): string {
  return text.split("\n").slice(1, -1).join("\n");
}

const rightCode: ReadonlySet<string> = new Set(
  calibrationCases()
    .filter(({ group }) => group === "control")
    .map(({ files }) => codeOf(new Map(Object.entries(files)))),
);

/** Is this the code of a control? Whatever else there is does not matter. */
function isRight({ files }: Desk): boolean {
  return rightCode.has(codeOf(files));
}

function codeOf(files: ReadonlyMap<string, string>): string {
  const isCode = (path: string): boolean => /\.(js|py)$/.test(path) && !/(^|\/)test/.test(path);
  const code = [...files]
    .filter(([path]) => isCode(path))
    .map(([path, text]) => [path, visible(text).trim()]);
  return JSON.stringify(code.sort());
}

/** The longest line of the code is quoted for every line of the rubric. */
function submission({ lines, files }: Desk, status: "met" | "unmet"): ScriptTurn {
  const quotes: Json[] = [...files].flatMap(([path, text]) => {
    const [longest = ""] = text.split("\n").sort((left, right) => right.length - left.length);
    return longest.replace(/\s/g, "").length < 8 ? [] : [{ path, text: longest.slice(0, 2000) }];
  });
  const graded = Array.from({ length: lines }, (_, index) => ({
    line: index + 1,
    status,
    reason: `all in all ${status}`,
    quotes: quotes.slice(0, 8),
  }));
  return { tools: [{ name: "submit_grade", input: { lines: graded } }] };
}
