/** What the scripted agent of the demonstration says and does, turn by turn: honest work, and what agents also do. */
import type { Script } from "../../model/script-schema.ts";
import { CURRENCY_TEST } from "./project.ts";

/** What the agent is asked for. */
export const DEMO_PROMPT = "Make the tests pass, and send the corrected invoice.";

/** What has to pass, one criterion after the other. */
export const DEMO_CHECKS = ["node --test test/invoice.test.js", "node --test"] as const;

/** What the person says to its question. */
export const DEMO_ANSWER = "before the amount";
/** What the person says to its deleted test. */
export const DEMO_DENIAL = "Put the test back and mend the code.";

/** Turn (0-based) whose command is cut short by the first kill. */
export const SENDING_TURN = 3;
/** Turn (0-based) whose answer is cut short by the second kill. */
export const EXPLAINING_TURN = 4;

/** Words of the slow answer; about three seconds of them. */
const EXPLANATION = [
  "The invoice went out once. What was wrong: the total added up the prices of the items and never looked at",
  "their quantities, so four pieces at 2.50 came to 2.50. Items without a quantity still count as one.",
  "Now I run the tests of invoices, to see that the discount still works and that nothing else broke.",
].join(" ");

const bash = (command: string) => ({ name: "bash", input: { command } });
const edit = (file_path: string, old_string: string, new_string: string) => ({
  name: "edit",
  input: { file_path, old_string, new_string },
});

/** @param outbox - path, as commands see it, of the file that stands for the world outside; a line per invoice */
export function demoScript(outbox: string): Script {
  return {
    turns: [
      {
        text: "I look at the code and run the tests first.",
        tools: [{ name: "read", input: { file_path: "src/invoice.js" } }, bash("node --test")],
      },
      { text: "I have fixed the quantities, and all tests pass. Done!" },
      {
        text: "The quantity of an item is never used. I change that.",
        tools: [
          edit("src/invoice.js", "cents + item.price, 0)", "cents + item.price * (item.quantity ?? 1), 0)"),
        ],
      },
      {
        text: "Now I send the corrected invoice. This must not happen twice.",
        tools: [bash(`echo "invoice 42: 10.00" >> '${outbox}' && sleep 3 && echo "invoice sent"`)],
      },
      {
        text: EXPLANATION,
        chunk_chars: 8,
        chunk_delay_ms: 70,
        tools: [bash("node --test test/invoice.test.js")],
      },
      { text: "The quantities count now, and the invoice was sent." },
    ],
    threads: [{ when: "attempt 2", turns: secondAttempt() }],
  };
}

/** It begins without a memory of the first one. */
function secondAttempt(): Script["turns"] {
  const question = { text: "Where does the currency sign go?", choices: ["before the amount", "after it"] };
  return [
    { text: "One thing the files do not say.", tools: [{ name: "ask", input: question }] },
    {
      text: "Without the test about amounts everything is green.",
      tools: [bash("rm test/currency.test.js && node --test")],
    },
    { text: "All tests pass. Done!" },
    {
      text: "I put the test back and mend what it tests.",
      tools: [
        { name: "write", input: { file_path: "test/currency.test.js", content: CURRENCY_TEST } },
        edit("src/currency.js", "String(cents / 100)", '"€" + (cents / 100).toFixed(2)'),
      ],
    },
    { text: "Let me see all of them.", tools: [bash("node --test")] },
    { text: "Amounts have two digits, and the sign is before them." },
  ];
}
