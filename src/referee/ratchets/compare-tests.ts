/** Two versions of a file of tests. */
import { lostAssertions, textOf } from "./assertions.ts";
import { type TestItem, titleOf } from "./test-items.ts";
import type { TestShape } from "./test-shape.ts";

/** What one version demands less than the other, for people. Empty: all that was demanded still is, word by word. */
export interface TestLosses {
  /** Cases that are gone. */
  readonly removed: readonly string[];
  /** Cases that are not run any more, or that keep others from being run. */
  readonly skipped: readonly string[];
  /** Demands that are gone or less. */
  readonly assertions: readonly string[];
  /** Whatever else is not as it was: cases with other steps, what is around them, names that mean something else. */
  readonly changed: readonly string[];
}

/** Outside of cases, these reach into what others use. */
const REACHING =
  /\b(mock|unmock|doMock|globalThis|global|window|prototype|defineProperty|__proto__|Reflect|process|cache|monkeypatch|sys \. modules|builtins)\b/;

const NAMED_MAX = 20;
const NAME_LENGTH_MAX = 200;

/** How little is lost from `base` to `candidate`. */
export function compareTests(base: TestShape, candidate: TestShape): TestLosses {
  const losses = {
    removed: [] as string[],
    skipped: [] as string[],
    assertions: [] as string[],
    changed: [] as string[],
  };
  if (base.text === candidate.text) return losses;
  const rest = [...candidate.items];
  const changed: TestItem[] = [];
  for (const item of base.items) {
    const same = rest.findIndex((other) => keyOf(other) === keyOf(item));
    if (same === -1) changed.push(item);
    else rest.splice(same, 1);
  }
  for (const item of changed) {
    const other = rest.findIndex(
      (each) => each.kind === item.kind && item.title !== "" && titleOf(each) === titleOf(item),
    );
    if (!isUnusedImport(item, candidate))
      compareItem(losses, item, other === -1 ? undefined : rest.splice(other, 1)[0]);
  }
  const suites = new Set(base.items.filter(({ kind }) => kind === "suite").map(titleOf));
  for (const item of rest) checkAddition(losses, item, base, suites);
  if (changed.length === 0 && !isInOrder(base, candidate))
    losses.changed.push("the order of what is around the tests");
  return losses;
}

/** Is nothing of it worth a look? */
export function isNoLoss(losses: TestLosses): boolean {
  return Object.values(losses).every((each: readonly string[]) => each.length === 0);
}

/** For people, a line per kind. */
export function describeLosses({ removed, skipped, assertions, changed }: TestLosses): string {
  const parts = [
    listed("tests removed", removed),
    listed("tests not run any more", skipped),
    listed("assertions changed", assertions),
    listed("also changed", changed),
  ];
  return parts.filter((part) => part !== "").join("\n");
}

function listed(title: string, names: readonly string[]): string {
  if (names.length === 0) return "";
  const more = names.length > NAMED_MAX ? `; and ${names.length - NAMED_MAX} more` : "";
  return `${title}: ${names.slice(0, NAMED_MAX).map(shortened).join("; ")}${more}`;
}

function shortened(text: string): string {
  return text.length > NAME_LENGTH_MAX ? `${text.slice(0, NAME_LENGTH_MAX - 1)}…` : text;
}

function keyOf({ kind, suites, text }: TestItem): string {
  return JSON.stringify([kind, suites, text]);
}

/** What no word of the file means any more can go. */
function isUnusedImport({ kind, defines }: TestItem, { names }: TestShape): boolean {
  return kind === "import" && defines?.length === 1 && !defines.some((name) => names.has(name));
}

interface Collected {
  readonly removed: string[];
  readonly skipped: string[];
  readonly assertions: string[];
  readonly changed: string[];
}

function compareItem(losses: Collected, before: TestItem, after: TestItem | undefined): void {
  if (before.kind === "import" || before.kind === "other") {
    losses.changed.push(`gone: ${before.text}`);
    return;
  }
  const title = titleOf(before);
  if (after === undefined) {
    losses.removed.push(title);
    return;
  }
  const marks = after.marks.filter((mark) => !before.marks.includes(mark));
  if (marks.length > 0) losses.skipped.push(`${title} (${marks.join(", ")})`);
  const lost = lostAssertions(before.assertions, after.assertions);
  for (const { loss, before: old, after: now } of lost)
    losses.assertions.push(`${title}: ${textOf(old)}: ${loss}${now === null ? "" : `: ${textOf(now)}`}`);
  if (lost.length === 0 && marks.length === 0) losses.changed.push(`other steps: ${title}`);
}

/** New cases and suites are welcome, and new names for them; what would change the old ones is not. */
function checkAddition(
  losses: Collected,
  item: TestItem,
  base: TestShape,
  suites: ReadonlySet<string>,
): void {
  if (item.marks.includes("only")) losses.skipped.push(`all but ${titleOf(item)} (only)`);
  const shadowed = item.defines?.filter((name) => base.names.has(name)) ?? [];
  const isInNewSuite = item.suites.length > 0 && !suites.has(item.suites.join(" › "));
  if (isInNewSuite) return;
  if (shadowed.length > 0) losses.changed.push(`defined anew: ${shadowed.join(", ")}`);
  else if (item.kind === "case" || item.kind === "suite") return;
  else if (item.defines === null || item.defines.length === 0 || REACHING.test(item.text))
    losses.changed.push(`new, outside of tests: ${item.text}`);
}

function isInOrder(base: TestShape, candidate: TestShape): boolean {
  const wanted = base.items.filter(({ kind }) => kind === "other").map(keyOf);
  let at = 0;
  for (const item of candidate.items) if (keyOf(item) === wanted[at]) at++;
  return at === wanted.length;
}
