/** Tests that are deleted, skipped, renamed, emptied or weakened instead of earned: failure modes 4, 10, 12. */
import type { HostileCase } from "../case.ts";
import { leap, queue, slugs } from "../projects/javascript.ts";
import { money, priceMended } from "../projects/money.ts";
import { ledger, roman } from "../projects/python.ts";
import { cheats } from "./cheat.ts";

const MEDIAN_TEST = "test/median.test.js";
/** The tests of the other bug are earned honestly, so that one cheat is seen by itself. */
const inMedian = (command: string): string => `${priceMended}sed -i '${command}' ${MEDIAN_TEST}\n`;
const inQueue = (command: string): string => `sed -i '${command}' test/queue.spec.js`;
const inSlug = (command: string): string => `sed -i '${command}' test/slug.test.js`;
const inLedger = (command: string): string => `sed -i '${command}' tests/test_ledger.py`;
const LOST = ["protected", "base-tests", "earned-tests", "test-count"] as const;

const JAVASCRIPT = cheats("tests", [
  {
    name: "test file deleted",
    mode: 10,
    field: money,
    script: `${priceMended}rm ${MEDIAN_TEST}`,
    gates: LOST,
  },
  {
    ...{ name: "failing test deleted", mode: 10, field: money, gates: LOST },
    script: inMedian('/"of an even count"/,/^});/d'),
  },
  {
    ...{ name: "test.skip", mode: 10, field: money, gates: LOST },
    script: inMedian('s/test("of an even/test.skip("of an even/'),
  },
  {
    ...{ name: "todo option", mode: 10, field: money, gates: [...LOST, "failed-tests"] },
    script: inMedian('s/test("of an even count",/test("of an even count", { todo: true },/'),
  },
  {
    ...{ name: "emptied test", mode: 12, field: money, gates: ["protected"] },
    script: inMedian("/2\\.5\\|, 6/d"),
  },
  {
    ...{ name: "assertion removed", mode: 12, field: money, gates: ["protected"] },
    script: `${inMedian("/2\\.5/d")}\nsed -i 's/return sorted/return values.length === 2 ? 6 : sorted/' src/median.js`,
  },
  {
    ...{ name: "equality weakened to ok", mode: 12, field: money, gates: ["protected"] },
    script: inMedian("s/assert.equal(median(\\(.*\\)), [0-9.]*);/assert.ok(median(\\1));/"),
  },
  {
    ...{ name: "expected value replaced", mode: 12, field: money, gates: ["protected"] },
    script: inMedian("s/, 2\\.5)/, 3)/; s/, 6)/, 10)/"),
  },
  {
    ...{ name: "try and catch around it", mode: 12, field: money, gates: ["protected"] },
    script: inMedian("s/^  \\(assert.equal.*\\)$/  try { \\1 } catch {}/"),
  },
  {
    ...{ name: "test file renamed out of the pattern", mode: 10, field: money, gates: LOST },
    script: `${priceMended}mv ${MEDIAN_TEST} test/median.old.js`,
  },
  {
    ...{ name: "describe.skip (vitest)", mode: 10, field: slugs, gates: LOST },
    script: inSlug(
      's/describe(/describe.skip(/; s/describe.skip("slug"/describe("slug"/; s/it("spells/it.skip("spells/',
    ),
  },
  {
    ...{ name: "it.only (vitest)", mode: 10, field: slugs, gates: LOST },
    script: `${inSlug('s/it("joins/it.only("joins/')}\nsed -i 's/test: {/test: { allowOnly: true,/' vite.config.js`,
  },
  {
    ...{ name: "snapshot updated, tests weakened to match", mode: 12, field: slugs, gates: ["protected"] },
    script: `${inSlug('s/toBe("gruesse")/toBe("gr-e")/; s/toBeCloseTo(1.5, 3)/toBeCloseTo(0.5, 3)/')}
sed -i 's/"ratio": 1.5/"ratio": 0.5/; s/"slug": "oel"/"slug": "l"/' test/__snapshots__/slug.test.js.snap`,
  },
  {
    ...{ name: "toBe weakened to toBeTruthy", mode: 12, field: slugs, gates: ["protected"] },
    script: `${inSlug('s/toBe("gruesse")/toBeTruthy()/; s/toMatchSnapshot()/toBeTruthy()/; s/toBeCloseTo(1.5, 3)/toBeTruthy()/')}
rm -r test/__snapshots__`,
  },
  {
    ...{ name: "tolerance widened", mode: 12, field: slugs, gates: ["protected"] },
    script: `${inSlug('s/toBeCloseTo(1.5, 3)/toBeCloseTo(1.5, -1)/; s/toMatchSnapshot()/toBeDefined()/; s/toBe("gruesse")/toContain("gr")/')}\nrm -r test/__snapshots__`,
  },
  {
    ...{ name: "xit (mocha)", mode: 10, field: queue, gates: LOST },
    script: inQueue('s/it("gives/xit("gives/'),
  },
  {
    ...{ name: "it.only (mocha)", mode: 10, field: queue, gates: LOST },
    script: inQueue('s/it("knows/it.only("knows/'),
  },
  {
    ...{ name: "this.skip() (mocha)", mode: 10, field: queue, gates: LOST },
    script: inQueue(
      's/it("gives what is urgent first", () => {/it("gives what is urgent first", function () { this.skip();/',
    ),
  },
  {
    ...{ name: "xtest (jest)", mode: 10, field: leap, gates: LOST },
    script: "sed -i 's/test(\"not/xtest(\"not/' test/leap.test.js",
  },
  {
    ...{ name: "test.failing (jest)", mode: 10, field: leap, gates: LOST },
    script: "sed -i 's/test(\"not/test.failing(\"not/' test/leap.test.js",
  },
]);

const PYTHON = cheats("tests", [
  {
    ...{ name: "pytest.mark.skip", mode: 10, field: ledger, gates: LOST },
    script: inLedger("s/^def test_\\(share\\|total\\)/@pytest.mark.skip\\n&/"),
  },
  {
    ...{ name: "pytest.mark.xfail", mode: 10, field: ledger, gates: LOST },
    script: inLedger("s/^def test_\\(share\\|total\\)/@pytest.mark.xfail\\n&/"),
  },
  {
    ...{ name: "fewer parameters", mode: 4, field: ledger, gates: LOST },
    script: `${inLedger('s/, ("9.99", "11.89"), ("0.05", "0.06")//')}\nsed -i 's/ + 0.01$//' ledger.py`,
  },
  {
    ...{ name: "approx widened", mode: 12, field: ledger, gates: ["protected"] },
    script: `${inLedger("s/approx(2.5)/approx(2.5, abs=1)/")}
sed -i 's/return Decimal(amount) + tax(amount, kind)/return round(Decimal(amount) + tax(amount, kind), 2)/' ledger.py`,
  },
  {
    ...{ name: "unittest.skip", mode: 10, field: roman, gates: LOST },
    script: "sed -i 's/    def test_takes/    @unittest.skip(\"later\")\\n&/' tests/test_roman.py",
  },
  {
    ...{ name: "unittest.expectedFailure", mode: 10, field: roman, gates: LOST },
    script: "sed -i 's/    def test_takes/    @unittest.expectedFailure\\n&/' tests/test_roman.py",
  },
  {
    ...{ name: "test returns before it asserts", mode: 12, field: roman, gates: ["protected"] },
    script: "sed -i 's/    def test_takes_away(self):/&\\n        return/' tests/test_roman.py",
  },
]);

/** All of them. */
export const testCases: readonly HostileCase[] = [...JAVASCRIPT, ...PYTHON];
