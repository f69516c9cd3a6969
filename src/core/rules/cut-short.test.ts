import { describe } from "vitest";
import {
  accepted,
  answered,
  asked,
  called,
  idle,
  result,
  resume,
  running,
  START_MS,
  said,
} from "../../../test/support/events.ts";
import { askingWithSandbox } from "../../../test/support/logs.ts";
import { decideTable } from "../../../test/support/steps.ts";
import type { EventInput } from "../events/index.ts";
import { append } from "../step.ts";

/** An answer that ended inside a call, and what the model was told. */
const cut = (request: number): EventInput[] => [
  answered(request, { stop_reason: "max_tokens" }),
  called(request, 0, "read_only", { invalid: "not whole" }),
  result(`c${request}_0`, 0, { ending: "refused", is_error: true }),
];
const askedAgain = (request: number, through_seq: number): ReturnType<typeof append> =>
  append(asked(request, { through_seq, context_hash: "hash" }));

/** 9 + 3 × 3 + 2 events. */
const cutThrice = [...askingWithSandbox(), ...cut(1), asked(2), ...cut(2), asked(3), ...cut(3)];
const held = [...cutThrice, idle("max_tokens")];

describe("answers that are cut short within a call", () => {
  decideTable([
    { name: "the model is told, and asked again", log: cutThrice.slice(0, 12), step: askedAgain(2, 12) },
    { name: "a second time, too", log: cutThrice.slice(0, 16), step: askedAgain(3, 16) },
    { name: "the third in a row is left to a person", log: cutThrice, step: append(idle("max_tokens")) },
    {
      name: "which holds, with the answer still owed",
      log: held,
      step: { kind: "leave", due: START_MS + 20_000 + 60_000 },
    },
    { name: "resume goes on", log: [...held, resume], step: append(running) },
    { name: "with the request that is owed", log: [...held, resume, running], step: askedAgain(4, 23) },
    { name: "a message goes on", log: [...held, said("in parts, please")], step: append(running) },
    {
      name: "a message that came in time takes the place of a person",
      log: [...cutThrice, said("in parts, please"), accepted(21)],
      step: askedAgain(4, 22),
    },
    {
      name: "a whole answer in between ends the row",
      log: [
        ...cutThrice.slice(0, 16),
        asked(3),
        answered(3),
        said("more"),
        accepted(19),
        asked(4),
        ...cut(4),
      ],
      step: askedAgain(5, 24),
    },
  ]);
});
