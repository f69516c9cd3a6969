import { describe, expect, test } from "vitest";
import { contractWith, declarationDecided, declared, sealed } from "../../test/support/contract-events.ts";
import { created, threadStart } from "../../test/support/events.ts";
import { stateOf } from "../../test/support/logs.ts";
import { World } from "../../test/support/world.ts";
import { type Contract, contractHash } from "../core/contract/contract.ts";
import { type ClientEventInput, type EventInput, event } from "../core/events/index.ts";
import { createRedactor } from "../core/redact.ts";
import { checkAmendments, checkAnswers, checkRetry } from "./person-checks.ts";

const agreed = [created(), sealed()];

async function ask(log: readonly EventInput[], said: EventInput): Promise<void> {
  const { store } = new World({ script: { turns: [] } });
  await checkAnswers(store, stateOf(...log), [said as ClientEventInput]);
}

describe("an amendment that is sent past the command line", () => {
  const send = async (contract: Contract, hash = contractHash(contract)): Promise<void> => {
    const body = { contract, hash, reason: "so", author: "ada" };
    await checkAmendments([event("control.amend_contract", body)], createRedactor({ secrets: [] }));
  };
  const [tests] = contractWith().criteria;

  test("is welcome when it can be verified", async () => {
    await expect(send(contractWith({ constraints: ["Be kind."] }))).resolves.toBeUndefined();
  });

  test.each<readonly [what: string, criteria: Contract["criteria"], said: string]>([
    ["a check that cannot fail", [criterion({ argv: ["true"], folder: "", shell: false })], "true"],
    ["nothing to verify", [criterion(null)], "tests"],
    [
      "a need that is not there",
      contractWith().criteria.map((each) => ({ ...each, needs: ["gone"] })),
      "gone",
    ],
  ])("is refused with %s, by the linter's words", async (_what, criteria, said) => {
    await expect(send(contractWith({ criteria }))).rejects.toMatchObject({
      code: "E_CONTRACT_INVALID",
      message: expect.stringContaining(said),
    });
  });

  test("is refused under another hash than its own", async () => {
    const wrong = send(contractWith(), "0".repeat(64));
    await expect(wrong).rejects.toMatchObject({ code: "E_CONTRACT_INVALID" });
  });

  test("is refused when the log would not keep it as it is", async () => {
    const secret = send(contractWith({ constraints: [`Use sk-ant-api03-${"a".repeat(90)}.`] }));
    await expect(secret).rejects.toMatchObject({ message: expect.stringContaining("secret") });
  });

  function criterion(check: Contract["criteria"][number]["check"]): Contract["criteria"][number] {
    return { ...(tests as Contract["criteria"][number]), check };
  }
});

test("a new attempt that nobody would judge is not begun, and the command that grants verdicts is named", () => {
  const capped = event("session.status_idle", { stop_reason: { type: "budget_reached", cap: "verdicts" } });
  const retry = event("control.retry", {}) as ClientEventInput;
  const state = stateOf(...agreed, threadStart(2), capped);
  expect(() => checkRetry(state, [retry])).toThrow(
    expect.objectContaining({ hint: expect.stringContaining("amend sesn_00000001 --max-verdicts") }),
  );
});

describe("what an agent declares", () => {
  test("may be denied", async () => {
    await expect(ask([...agreed, declared("c1_0")], declarationDecided("deny"))).resolves.toBeUndefined();
  });

  test("is not approved: whoever agrees waives the criterion", async () => {
    await expect(ask([...agreed, declared("c1_0")], declarationDecided("approve"))).rejects.toMatchObject({
      code: "E_USAGE",
      hint: expect.stringContaining("nightshift waive"),
    });
  });

  test.each([
    ["when there is none", agreed],
    ["when it has been made anew since", [...agreed, declared("c1_0"), declared("c2_0")]],
  ])("is not denied %s", async (_when, log) => {
    await expect(ask(log, declarationDecided("deny"))).rejects.toMatchObject({ code: "E_APPROVAL_STALE" });
  });
});
