/**
 * Suites that take minutes: they start many processes and sandboxes. `npm test` runs all of them; where the time is
 * short, `NIGHTSHIFT_TEST_PART=1` (to 10) leaves out those of the other parts. None takes much longer than the others.
 */
export const LONG_SUITES: readonly (readonly string[])[] = [
  ["src/judge/calibrate/*.test.ts", "test/end-to-end/{contract,control,judge}.test.ts"],
  ["test/adversarial/**/*.test.ts"],
  ["test/bench/*.test.ts", "test/conformance/{docker,sandbox}.test.ts"],
  ["test/end-to-end/{cheating-agents,planning,tour}.test.ts"],
  ["test/end-to-end/{apply,branch,budget,checkout,detach,services}.test.ts"],
  ["test/referee/*.test.ts", "test/repositories/interrupted.test.ts"],
  [
    "test/end-to-end/{model,notifications,people,tools,verify}.test.ts",
    "test/integrity/corruption.test.ts",
    "test/kill/leftovers/**/*.test.ts",
    "test/kill/workspace.test.ts",
  ],
  ["test/escape/**/*.test.ts"],
  ["src/workspace/{dirty,export,hostile,merge,objects,renderings,trees,workspaces}.test.ts"],
  ["test/environment/**/*.test.ts", "test/referee/runners/*.test.ts"],
];

/**
 * Those that are not in this part.
 * @param part - as in the environment; undefined leaves nothing out
 * @throws Error for anything but the number of a part
 */
export function suitesOutside(part: string | undefined): readonly string[] {
  if (part === undefined || part === "") return [];
  const parts = LONG_SUITES.map((_, index) => String(index + 1));
  if (!parts.includes(part)) throw new Error(`NIGHTSHIFT_TEST_PART is one of ${parts.join(", ")}`);
  return LONG_SUITES.flatMap((suites, index) => (String(index + 1) === part ? [] : suites));
}
