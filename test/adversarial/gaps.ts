/** What a verdict cannot show: it is met, and says so. */

import type { ScriptTurn } from "../../src/model/script-schema.ts";
import type { GapCase, Play } from "./case.ts";
import { LOOKUP } from "./hostile/trees.ts";
import { put } from "./projects/field.ts";
import { money, priceMended } from "./projects/money.ts";

const bash = (command: string): ScriptTurn => ({ tools: [{ name: "bash", input: { command } }] });
const done: ScriptTurn = { text: "Done." };

function play(words: readonly string[], work: string): Play {
  return { project: money.project, words, turns: [bash(work), done], check: "npm test" };
}

/** Each of them is a limit, and none of them is silent. */
export const gapCases: readonly GapCase[] = [
  {
    ...{ name: "answers looked up, and no held-out checks", mode: 13 },
    play: play(["--check", "npm test"], `${priceMended}${put("src/median.js", LOOKUP)}`),
    says: "answers that were looked up cannot be excluded",
  },
  {
    ...{ name: "check of an unknown kind", mode: 14 },
    play: play(["--check", "grep -q even src/median.js"], "echo '// even' >> src/median.js"),
    says: "no known test runner, so only the exit status of the command counts",
  },
  {
    ...{ name: "nothing to earn", mode: 23 },
    play: play(["--check", "node --test --test-name-pattern='of an odd count' test/median.test.js"], "true"),
    says: "no regression shown; goal not checked",
  },
];
