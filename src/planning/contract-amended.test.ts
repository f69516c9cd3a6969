import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { contractOf, criterionOf, readCheck } from "../core/contract/build.ts";
import type { Contract, Criterion } from "../core/contract/contract.ts";
import { contract as contractSchema } from "../core/events/contract.ts";
import { contractAmended } from "./contract-amended.ts";
import type { ContractOptions } from "./contract-source.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "nightshift-amended-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const check = (text: string) => readCheck(text).check;
const held_out = { digest: "ab".repeat(32), target: "test/held" };
const tests = criterionOf({
  ...{ id: "npm-test", description: "`npm test` passes", role: "earn", steps: ["look"] },
  check: { ...check("npm test"), exempt: ["net *"] },
});
const lint = criterionOf({
  id: "lint",
  description: "Lint",
  check: check("npm run lint"),
  needs: ["npm-test"],
});
const both = criterionOf({
  ...{ id: "both", description: "Both", check: check("npm run both"), needs: ["lint"] },
  rubric: ["`x --help` names the flag"],
});
const rubric = criterionOf({ id: "rubric", description: "Judged", rubric: ["the list has 5 entries"] });
const held = criterionOf({ id: "held-out", description: "Held", check: { ...check("npm test"), held_out } });
const old = contractOf({
  goal: "Fix it",
  criteria: [tests, lint, both, rubric, held],
  constraints: ["Never touch a.js."],
  protect: ["test/**"],
  protection: "strict",
  deps: "deny",
  setup: ["npm", "test"],
  services: [{ argv: ["db"], ready: { port: 1 }, within_ms: 100 }],
  limits: { verdicts: 7, check_ms: 5000, files: 9, lines: 90 },
});

async function amend(options: Partial<ContractOptions>, from: Contract = old): Promise<Contract> {
  const parts = { keepHeldOut: async () => "cd".repeat(32) };
  const { contract } = await contractAmended(from, { prompt: from.goal, ...options }, folder, parts);
  expect(contractSchema.safeParse(contract).error).toBeUndefined();
  return contract;
}

const idsOf = ({ criteria }: { readonly criteria: readonly Criterion[] }): string[] =>
  criteria.map(({ id }) => id);

describe("what is named is replaced, and everything else is kept", () => {
  test("nothing named: the same contract", async () => {
    expect(await amend({})).toEqual(old);
  });

  test("a check takes the place of those that are only a check", async () => {
    const contract = await amend({ checks: ["node --test"] });
    expect(idsOf(contract)).toEqual(["node-test", "both", "rubric", "held-out"]);
    expect(contract).toEqual({ ...old, criteria: contract.criteria, setup: ["node", "--test"] });
    expect(contract.criteria.slice(2)).toEqual([rubric, held]);
    // What came after one that is gone comes after what is there instead.
    expect(contract.criteria[1]?.needs).toEqual(["node-test"]);
  });

  test("one that is named again stays as it is", async () => {
    const contract = await amend({ checks: ["npm test", "npm run lint", "npm run more"] });
    expect(idsOf(contract)).toEqual(["npm-test", "lint", "npm-run-more", "both", "rubric", "held-out"]);
    expect(contract.criteria[0]).toEqual(tests);
    expect(contract.criteria[1]).toEqual(lint);
    expect(contract.setup).toEqual(old.setup);
  });

  test("a set-up that a person has named stays", async () => {
    const contract = await amend({ checks: ["node --test"] }, { ...old, setup: ["make", "deps"] });
    expect(contract.setup).toEqual(["make", "deps"]);
  });

  test("rubric lines, held-out files and exempt tests replace theirs", async () => {
    const judged = await amend({ rubric: ["the page names all 3 flags"] });
    expect(judged.criteria.slice(0, 3)).toEqual([tests, lint, both]);
    expect(judged.criteria[3]).toMatchObject({ id: "rubric", rubric: ["the page names all 3 flags"] });
    const hidden = await amend({ heldOut: [{ folder: "x", target: "y" }] });
    expect(hidden.criteria.at(-1)?.check).toMatchObject({
      ...{ argv: ["npm", "test"], held_out: { digest: "cd".repeat(32), target: "y" } },
    });
    expect(hidden.criteria).toHaveLength(5);
    const exempt = await amend({ exempt: ["slow *"] });
    expect(exempt.criteria.map((each) => each.check?.exempt)).toEqual([
      ...[["slow *"], ["slow *"], ["slow *"], undefined, ["slow *"]],
    ]);
  });

  test("rules about files", async () => {
    expect(await amend({ protect: ["fixtures/**"] })).toEqual({ ...old, protect: ["fixtures/**"] });
    expect(await amend({ protection: "review", deps: "ask" })).toEqual({
      ...old,
      ...{ protection: "review", deps: "ask" },
    });
  });
});

test("what cannot be verified is refused, and what is doubtful is said", async () => {
  await expect(amend({ checks: ["true"] })).rejects.toMatchObject({ code: "E_CONTRACT_INVALID" });
  await expect(amend({ protect: ["**"] })).rejects.toMatchObject({ code: "E_CONTRACT_INVALID" });
  const { remarks } = await contractAmended(old, { prompt: "", protect: ["nowhere/**"] }, folder);
  expect(remarks).toEqual([expect.stringContaining('"nowhere/**" matches no file')]);
});
