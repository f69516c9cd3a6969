/** What became of what a test demands. */
import type { Assertion } from "./test-items.ts";

/** How one demand was changed; null when it demands no less than before. */
export type Loss = "removed" | "weakened" | "expects something else" | "tolerates more";

/** Demand next to nothing of a value. */
const WEAK =
  /(^|\.)(toBeDefined|toBeTruthy|toBeFalsy|toBeUndefined|toBeInstanceOf|toBeTypeOf|toHaveProperty|toBeNull|ok|exist|exists|isOk|isDefined|isTrue|isFalse|truthy|falsy|assertTrue|assertFalse|assertIsNotNone|assertIsInstance|assertIsNone|pass)$|^(assert|is not|in|not\.toThrow|doesNotThrow|doesNotReject|notThrows)$/;
const TOLERANT = /toBeCloseTo|closeTo|approximately|assertAlmostEqual|approx|isclose|allclose/;

/** Losses of a case whose demands were `before`, in pairs as far as they are about the same. */
export function lostAssertions(
  before: readonly Assertion[],
  after: readonly Assertion[],
): { readonly loss: Loss; readonly before: Assertion; readonly after: Assertion | null }[] {
  const rest = [...after];
  const gone = before.filter((each) => !take(rest, (other) => textOf(other) === textOf(each)));
  return gone.flatMap((each) => {
    const other = take(rest, ({ subject }) => subject === each.subject);
    const loss = other === undefined ? "removed" : lossOf(each, other);
    return loss === null ? [] : [{ loss, before: each, after: other ?? null }];
  });
}

function take(list: Assertion[], isWanted: (each: Assertion) => boolean): Assertion | undefined {
  const index = list.findIndex(isWanted);
  return index === -1 ? undefined : list.splice(index, 1)[0];
}

function lossOf(before: Assertion, after: Assertion): Loss | null {
  if (WEAK.test(after.matcher) && !WEAK.test(before.matcher)) return "weakened";
  if (WEAK.test(before.matcher) && !WEAK.test(after.matcher) && after.matcher !== "") return null;
  const isTolerant = TOLERANT.test(after.matcher) || TOLERANT.test(after.expected);
  if (isTolerant) return "tolerates more";
  return before.matcher === after.matcher ? "expects something else" : "weakened";
}

/** For people, in one line. */
export function textOf({ subject, matcher, expected }: Assertion): string {
  return `${subject} ${matcher}${expected === "" ? "" : ` ${expected}`}`;
}
