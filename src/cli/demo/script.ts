/** What the scripted agent of the demonstration says and does, turn by turn. */
import type { Script } from "../../model/script-schema.ts";

/** What the agent is asked for. */
export const DEMO_PROMPT =
  "The test about quantities fails. Fix the bug, send the corrected invoice, and check your work.";

/** Turn (0-based) whose command is cut short by the first kill. */
export const SENDING_TURN = 2;
/** Turn (0-based) whose answer is cut short by the second kill. */
export const EXPLAINING_TURN = 3;

/** Words of the slow answer; about three seconds of them. */
const EXPLANATION = [
  "The invoice went out once. What was wrong: the total added up the prices of the items and never looked at",
  "their quantities, so four pieces at 2.50 came to 2.50. Items without a quantity still count as one.",
  "Now I run all the tests, to see that the discount still works and that nothing else broke on the way.",
].join(" ");

/** @param outbox - path of the file that stands for the world outside; one line per invoice sent */
export function demoScript(outbox: string): Script {
  const send = `echo "invoice 42: 10.00" >> '${outbox}' && sleep 3 && echo "invoice sent"`;
  return {
    turns: [
      {
        text: "I look at the code and run the tests first.",
        tools: [
          { name: "read", input: { file_path: "src/invoice.js" } },
          { name: "bash", input: { command: "node --test" } },
        ],
      },
      {
        text: "The quantity of an item is never used. I change that.",
        tools: [
          {
            name: "edit",
            input: {
              file_path: "src/invoice.js",
              old_string: "cents + item.price, 0)",
              new_string: "cents + item.price * (item.quantity ?? 1), 0)",
            },
          },
        ],
      },
      {
        text: "Now I send the corrected invoice. This must not happen twice.",
        tools: [{ name: "bash", input: { command: send } }],
      },
      {
        text: EXPLANATION,
        chunk_chars: 8,
        chunk_delay_ms: 70,
        tools: [{ name: "bash", input: { command: "node --test" } }],
      },
      { text: "Done: the bug is fixed, all tests pass, and the invoice was sent." },
    ],
  };
}
