import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { contractOf, criterionOf, readCheck } from "../../core/contract/build.ts";
import { type Contract, contractHash } from "../../core/contract/contract.ts";
import { contractFileText } from "./contract-file.ts";
import { type ReadSource, readSource } from "./read.ts";

function read(text: string, name: string): ReadSource {
  return readSource({ text, name });
}

const text = fc.string({ unit: "binary", minLength: 1, maxLength: 30 });
const shellish = fc.string({ unit: fc.constantFrom(..."ab '\"\\$|&;=~#\n"), minLength: 1, maxLength: 12 });
const arbitraryCheck = fc.record({
  argv: fc.array(shellish, { minLength: 1, maxLength: 1 }),
  folder: fc.constantFrom("", "a/b"),
  shell: fc.boolean(),
});
const arbitraryContract: fc.Arbitrary<Contract> = fc
  .record({
    goal: text,
    constraints: fc.array(text),
    criteria: fc.array(
      fc.record({
        id: text,
        description: text,
        steps: fc.array(text),
        check: fc.option(arbitraryCheck),
        role: fc.constantFrom("earn" as const, "keep" as const, null),
        rubric: fc.array(text),
        needs: fc.array(text),
      }),
    ),
    protect: fc.array(text),
    setup: fc.array(text),
    protection: fc.constantFrom("strict" as const, "review" as const),
    deps: fc.constantFrom("allow" as const, "deny" as const),
  })
  .map(contractOf);

describe("our own form", () => {
  test("all fields", () => {
    const text = JSON.stringify({
      nightshift: 1,
      goal: "g",
      constraints: ["c"],
      criteria: [
        { description: "Long words", check: "npm test", passes: true },
        {
          id: "two",
          description: "d",
          check: { command: "a | b", folder: "x" },
          role: "keep",
          needs: ["long-words"],
        },
        { id: "h", description: "d", check: { argv: ["x"], held_out: { folder: "../h", target: "t" } } },
      ],
      setup: "npm test",
      limits: { verdicts: 3, files: 4, lines: 50 },
    });
    expect(read(text, "c.json")).toEqual({
      kind: "contract",
      read: {
        contract: {
          goal: "g",
          constraints: ["c"],
          criteria: [
            criterionOf({ id: "long-words", description: "Long words", check: readCheck("npm test").check }),
            criterionOf({
              id: "two",
              description: "d",
              check: { argv: ["a | b"], folder: "x", shell: true },
              role: "keep",
              needs: ["long-words"],
            }),
            criterionOf({ id: "h", description: "d", check: { argv: ["x"], folder: "", shell: false } }),
          ],
          protect: [],
          protection: "additive",
          setup: ["npm", "test"],
          services: [],
          deps: "ask",
          limits: { verdicts: 3, files: 4, lines: 50 },
        },
        heldOut: [{ criterion: "h", folder: "../h", target: "t" }],
        accepted: null,
        markedCount: 1,
        remarks: ['`a | b` is run by sh -c, because of "|"'],
      },
    });
  });

  test("what is written reads as the same contract", () => {
    fc.assert(
      fc.property(arbitraryContract, (contract) => {
        const accepted = contractHash(contract);
        const again = read(contractFileText(contract, accepted), "c.json");
        expect(again).toMatchObject({ read: { contract, heldOut: [], accepted } });
      }),
    );
  });
});
