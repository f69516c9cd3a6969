/** Mistakes about contracts and verdicts; see `mutant-table.ts`. */
import type { Mutant } from "./mutant.ts";

/** Seeds whose sessions have contracts, of which people say much. */
const CHECKS = /@(preflight|check)\./;

/** Every one of them. */
export const CONTRACTS: readonly Mutant[] = [
  {
    name: "an agent that ends its turn is believed",
    promise: "verified-means-a-positive-verdict",
    file: "src/core/reduce/contract.ts",
    find: '? { ...contract, wanted: contract.wanted ?? "rest" }',
    replace:
      '? { ...contract, ending: { type: "verified" as const, verdict: Math.max(1, contract.verdicts) } }',
    aim: CHECKS,
  },
  {
    name: "a verdict does not wait for the files to be saved",
    promise: "a-verdict-is-about-a-checkpoint",
    file: "src/core/rules/contract.ts",
    find: 'const checkpoint = checkpointBefore(state, "verdict");',
    replace: 'const checkpoint = checkpointBefore(state, "verdict").slice(1);',
    aim: CHECKS,
  },
  {
    name: "a turn after a positive verdict is verified by it",
    promise: "verified-means-a-positive-verdict",
    file: "src/core/reduce/contract.ts",
    find: 'wanted: contract.wanted === "rest" ? null : contract.wanted, ending: null };',
    replace: 'wanted: contract.wanted === "rest" ? null : contract.wanted };',
    aim: /^message@(append|check)/,
  },
  {
    name: "evidence counts before it is in the log",
    promise: "evidence-comes-first",
    file: "src/runtime/driver.ts",
    find: "return await promise;",
    replace: "promise.catch(() => undefined);\n      return this.#parts.journal.state.seq + 1;",
    aim: CHECKS,
  },
  {
    name: "an amendment needs no preflight",
    promise: "nothing-begins-before-its-preflight",
    file: "src/core/reduce/contract.ts",
    find: 'preflight: "owed" as const,',
    replace: "preflight: contract.preflight,",
    aim: CHECKS,
  },
  {
    name: "the cap on verdicts is only named",
    promise: "the-cap-on-verdicts-holds",
    file: "src/core/contract/verdict-cap.ts",
    find: "given.number >= contract.limits.verdicts;",
    replace: "given.number < 0 * contract.limits.verdicts;",
    aim: CHECKS,
  },
  {
    name: "a denied declaration goes on to count",
    promise: "a-denied-declaration-does-not-count",
    file: "src/core/reduce/declarations.ts",
    find: "declared: without(contract.declared, criterion),",
    replace: "",
    aim: CHECKS,
  },
  {
    name: "commands do not wait for services",
    promise: "a-command-finds-its-services",
    file: "src/core/rules/sandbox.ts",
    find: "return servicesDue(state) === null && !areServicesStarting(state);",
    replace: "return true;",
    aim: CHECKS,
  },
  {
    name: "a new life of a sandbox counts as having the services of the one before",
    promise: "a-command-finds-its-services",
    file: "src/core/reduce/sandbox.ts",
    find: "services: null,",
    replace: "services: known?.services ?? null,",
    aim: CHECKS,
  },
  {
    name: "a preflight that found problems is passed over",
    promise: "nothing-begins-before-its-preflight",
    file: "src/core/reduce/contract.ts",
    find: 'if (problems.length > 0) return { preflight: "refused", ending };',
    replace: "",
    aim: CHECKS,
  },
  {
    name: "verified is said before there is a branch",
    promise: "verified-means-a-branch",
    file: "src/core/rules/rest.ts",
    find: "if ((state.branch?.wanted ?? null) !== null) return",
    replace: 'if ((state.branch?.wanted ?? null) !== null && state.phase !== "running") return',
    aim: CHECKS,
  },
  {
    name: "a branch of files that nobody has verified is called verified",
    promise: "a-branch-holds-what-was-verified",
    file: "src/core/reduce/branch.ts",
    find: 'given?.outcome === "met" && given.commit === source;',
    replace: 'given?.outcome === "met";',
    aim: CHECKS,
  },
];
