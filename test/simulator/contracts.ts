/** Contracts of simulated sessions, and what people say of them. */
import { CONTRACT_DEFAULTS, type Contract, contractHash } from "../../src/core/contract/contract.ts";
import {
  declarationHash,
  declarationItem,
  declaredCriterion,
  openDeclarations,
} from "../../src/core/contract/declaration.ts";
import type { ContractState } from "../../src/core/contract/state.ts";
import { type ClientEventInput, type EventInput, event } from "../../src/core/events/index.ts";
import type { Random } from "./random.ts";

/** What a person knows of a session's contract who wants to say something of it. */
export type Standing = Pick<ContractState, "review" | "decisions" | "declared" | "given">;

/** Before any verdict. */
export const NOTHING_FOUND: Standing = { review: [], decisions: [], declared: [], given: null };

const CRITERIA: readonly string[] = ["c0", "c1"];

/** A contract that nothing is wrong with; each has another goal. */
export function planContract(random: Random): Contract {
  return {
    ...CONTRACT_DEFAULTS,
    goal: `goal ${random.text(4)}`,
    constraints: random.fork("constraints").chance(0.5) ? ["keep f2", "no network"] : [],
    criteria: CRITERIA.slice(0, random.between(1, CRITERIA.length)).map((id) => ({
      id,
      description: `${id} holds`,
      steps: [],
      check: { argv: ["check", id], folder: "", shell: false },
      role: null,
      rubric: [],
      needs: [],
    })),
    limits: { verdicts: random.pick([2, 5, 20]) },
    services: planServices(random.fork("services")),
  };
}

const PEOPLE = ["ada", "bob"] as const;

/** What a person says to a question. */
export function answerTo(random: Random, question: string): ClientEventInput {
  const text = `take ${random.text(5)}`;
  const channel = random.pick([undefined, "cli", "http"] as const);
  return event("question.answered", {
    question,
    text,
    author: random.pick(PEOPLE),
    ...(channel && { channel }),
  });
}

/** Longer than any simulation. */
const FOR_EVER_MS = 100_000_000;

/** Programs that serve, end too soon, or are not ready in time. */
function planServices(random: Random): Contract["services"] {
  const count = random.weighted({ none: 3, one: 2, two: 1 });
  return Array.from({ length: ["none", "one", "two"].indexOf(count) }, (_, index) => {
    const lasts = random.chance(0.8) ? FOR_EVER_MS : random.between(10, 5000);
    const readyAfterMs = random.chance(0.8) ? random.between(5, 300) : random.between(300, 5000);
    return {
      argv: ["serve", `${index}`, "--ms", `${lasts}`, "--exit", "1"],
      ready: { argv: ["look", "--ms", `${readyAfterMs}`] },
      within_ms: random.pick([500, 10_000]),
    };
  });
}

/** Puts it into the log of a session to be. */
export function sealedAs(contract: Contract): EventInput<"contract.sealed"> {
  return event("contract.sealed", { contract, hash: contractHash(contract), source: "people" });
}

/** The criterion that an agent says it cannot meet; not every contract has it. */
export function planDeclaration(random: Random): {
  readonly criterion: string;
  readonly status: string;
  readonly reason: string;
  readonly evidence: string;
} {
  const status = random.pick(["impossible", "blocked"]);
  return { criterion: random.pick(CRITERIA), status, reason: "it cannot be", evidence: "tried" };
}

/** For ever, and not any more. */
const WAIVED_UNTIL = [4_000_000_000_000, 1] as const;

/** Something that a person may say of a contract at any moment. */
export function planContractControl(random: Random, standing: Standing): ClientEventInput {
  const open = [...openItems(standing), ...standing.declared.map(deniable)];
  const kinds = { verdict: 4, amend: 4, waive: 0.5, publish: 1, decide: open.length > 0 ? 6 : 0.2 };
  switch (random.weighted(kinds)) {
    case "verdict":
      return event("control.request_verdict", {});
    case "amend":
      return planAmendment(random);
    case "publish":
      return event("control.publish", random.chance(0.5) ? {} : { branch: random.pick(["mine", "ours"]) });
    case "waive": {
      const expires_at = random.pick(WAIVED_UNTIL);
      const body = { criterion: random.pick(CRITERIA), reason: "not now", owner: "somebody", expires_at };
      return event("control.waive", body);
    }
    case "decide": {
      // Without anything to look at, it is about something that nobody has asked for.
      const { item, hash } = open.length > 0 ? random.pick(open) : { item: "f9", hash: "0".repeat(64) };
      return decision(item, hash, declaredCriterion(item) === null && random.chance(0.6));
    }
  }
}

/** Another contract instead. */
export function planAmendment(random: Random): ClientEventInput {
  const contract = planContract(random);
  const hash = contractHash(contract);
  return event("control.amend_contract", { contract, hash, reason: "too narrow", author: "somebody" });
}

/** The same contract with more verdicts than any simulation asks for. */
export function moreVerdicts(contract: Contract): ClientEventInput {
  const raised = { ...contract, limits: { ...contract.limits, verdicts: 10_000 } };
  const hash = contractHash(raised);
  return event("control.amend_contract", {
    ...{ contract: raised, hash, reason: "go on", author: "somebody" },
  });
}

/** What a person decides who is asked for everything that waits for them. */
export function decideAll(standing: Standing): readonly ClientEventInput[] {
  const declared = openDeclarations(standing).map((each) => deniable(each));
  return [
    ...openItems(standing).map(({ item, hash }) => decision(item, hash, hash < "a")),
    // Of every other one they agree that it cannot be met, and say nothing.
    ...declared.flatMap(({ item, hash }) => (hash < "8" ? [decision(item, hash, false)] : [])),
  ];
}

function openItems({ review, decisions }: Standing): readonly Decidable[] {
  return review.filter(({ hash }) => !decisions.some((known) => known.hash === hash));
}

type Decidable = Pick<Standing["review"][number], "item" | "hash">;

function deniable(declared: Standing["declared"][number]): Decidable {
  return { item: declarationItem(declared.criterion), hash: declarationHash(declared) };
}

function decision(item: string, hash: string, isApproved: boolean): ClientEventInput {
  const result = isApproved ? "approve" : "deny";
  return event("approval.decided", { item, hash, result, author: "somebody" });
}
