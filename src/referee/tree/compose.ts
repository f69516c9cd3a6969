/**
 * Composes what is checked. Pass A is the candidate with protected paths from the base: nothing that the worker wrote
 * there can decide. Pass B is the candidate as delivered. What is between them is refused, reviewed or welcome.
 */
import { posix } from "node:path";
import type { Contract, Finding } from "../../core/contract/contract.ts";
import { messageOf } from "../../core/errors.ts";
import { REGISTRY_CONFIG_GLOBS } from "../../environment/contract.ts";
import type { ComposedEntry, TreeReader } from "../../workspace/contract.ts";
import type { ComposeRequest } from "../contract.ts";
import { reviewHash } from "../review.ts";
import { protectedByPrograms } from "./checked-programs.ts";
import { findNewConfigurations } from "./configurations.ts";
import { findBrokenConstraints } from "./constraints.ts";
import { type Change, Difference, folderOf, foldersOf, GITLINK, LINK, nameOf } from "./difference.ts";
import { problemOfEdit, problemOfNew } from "./edits.ts";
import { finding, onePerPath } from "./finding.ts";
import { type Matcher, matcherOf } from "./globs.ts";
import { compareKeyed, isKeyed } from "./keyed.ts";
import type { KeyedChange } from "./keyed-change.ts";
import { findBadNames, findSwaps, isPossible } from "./names.ts";
import { findReplacedPackages } from "./replaced-packages.ts";
import { type ScriptReach, scriptReach } from "./script-reach.ts";
import { findShadows } from "./shadowing.ts";
import { testFileMatcher } from "./test-files.ts";
import { findingOfState, stateOf } from "./tool-state.ts";

const FINDINGS_MAX = 2000;
/** Helpers of tests that are not with them are known by their names. */
const HELPERS: readonly string[] = [
  "test-utils*",
  "test_utils*",
  "testutils*",
  "testUtils*",
  "test-helpers*",
  "test_helpers*",
  "testHelpers*",
];
const ALWAYS: readonly string[] = [...REGISTRY_CONFIG_GLOBS, "**/node_modules/**", ...HELPERS];

/** What composing comes to. */
export interface Plan {
  /** Of pass A; null: it is the candidate's own tree. */
  readonly entries: readonly ComposedEntry[] | null;
  readonly findings: readonly Finding[];
  /** Protected paths that differ. */
  readonly changed: ReadonlySet<string>;
}

/** Reads both trees; makes nothing. @throws NightshiftError `E_CONTRACT_INVALID` for a glob of the contract */
export async function planComposition(
  base: TreeReader,
  candidate: TreeReader,
  request: Request,
): Promise<Plan> {
  const difference = await Difference.of(base, candidate);
  const byPrograms = await protectedByPrograms(request.contract, difference);
  return new Composer(difference, request, byPrograms).plan();
}

type Request = Pick<ComposeRequest, "contract" | "matches" | "approved">;

class Composer {
  readonly #difference: Difference;
  readonly #request: Request;
  readonly #isProtected: Matcher;
  readonly #isProtectedByName: Matcher;
  readonly #isTestFile: Matcher;
  readonly #findings: Finding[] = [];
  /** What pass A has instead of the candidate's. */
  readonly #instead = new Map<string, ComposedEntry | undefined>();
  readonly #protected: Change[] = [];
  #reach: Promise<ScriptReach> | undefined;

  /** @param byPrograms - globs of what the checks' programs go by */
  constructor(difference: Difference, request: Request, byPrograms: readonly string[]) {
    const { contract, matches } = request;
    this.#difference = difference;
    this.#request = request;
    const named = [...contract.protect, ...heldOutTargets(contract)];
    const byRunners = matches.flatMap(({ protects }) => protects);
    this.#isProtected = matcherOf([...ALWAYS, ...named, ...byRunners, ...byPrograms]);
    this.#isProtectedByName = matcherOf(named);
    this.#isTestFile = testFileMatcher(matches);
  }

  async plan(): Promise<Plan> {
    const { contract, matches } = this.#request;
    for (const change of this.#difference.changes) await this.#weigh(change);
    const folders = [...matches, ...contract.criteria.flatMap(({ check }) => check ?? [])].map(
      ({ folder }) => {
        const path = posix.normalize(folder).replace(/\/$/, "");
        return path === "." ? "" : path;
      },
    );
    this.#findings.push(
      ...(await findBrokenConstraints(this.#difference, contract)),
      ...findBadNames(this.#difference, this.#isProtected),
      ...findSwaps(this.#protected, this.#difference),
      ...(await findNewConfigurations(this.#difference, contract, matches)),
      ...[
        ...(await findShadows(this.#difference, folders)),
        ...(await findReplacedPackages(this.#difference)),
      ].filter((each) => this.#isOpen(each)),
    );
    return {
      entries: this.#entries(),
      findings: limited(onePerPath(this.#findings)),
      changed: new Set(this.#protected.map(({ path }) => path)),
    };
  }

  /** What a person has approved is as if it were not protected; what is refused nobody can approve. */
  #isOpen({ path, effect }: Finding): boolean {
    return effect === "refuse" || !this.#isApproved(path);
  }

  #isApproved(path: string): boolean {
    const { base, candidate } = this.#difference;
    const hash = reviewHash(path, base.get(path)?.object ?? null, candidate.get(path)?.object ?? null);
    return this.#request.approved.has(hash);
  }

  async #weigh(change: Change): Promise<void> {
    const { path, base, candidate } = change;
    if (!isPossible(path)) {
      this.#instead.set(path, base);
      return;
    }
    const isSubmodule = base?.mode === GITLINK || candidate?.mode === GITLINK;
    if (this.#isApproved(path)) {
      if (isSubmodule) this.#findings.push(finding("submodule", path, "note", "another commit, approved"));
      return;
    }
    const state = stateOf(path, this.#difference);
    if (state !== undefined) {
      this.#instead.set(path, base);
      this.#findings.push(await findingOfState(change, state, this.#difference));
      return;
    }
    if (isSubmodule) {
      this.#protect(change, "submodule", "another commit of a submodule, or one that is new or gone");
      return;
    }
    if (isKeyed(nameOf(path)) && !this.#isProtectedByName(path)) return this.#weighKeyed(change);
    if (!this.#isProtected(path)) return;
    if (this.#request.contract.protection !== "additive") {
      this.#protect(
        change,
        "protected",
        base === undefined ? "new" : candidate === undefined ? "removed" : "changed",
      );
      return;
    }
    const isTestFile = this.#isTestFile(path);
    const problem =
      base === undefined
        ? problemOfNew(change, this.#difference, isTestFile)
        : await guarded(() => problemOfEdit(change, this.#difference, isTestFile));
    this.#protect(change, "protected", problem);
  }

  async #weighKeyed(change: Change): Promise<void> {
    const { path, base, candidate } = change;
    if (base === undefined) {
      const isAmongOld = nameOf(path) === "package.json" && this.#difference.baseFolders.has(folderOf(path));
      if (isAmongOld) this.#protect(change, "protected", "a package of its own, where files of the base are");
      return;
    }
    if (candidate === undefined) return this.#protect(change, "protected", "removed");
    if (base.mode === LINK || candidate.mode === LINK)
      return this.#protect(change, "protected", "it is, or was, a symbolic link");
    const [before, after] = await Promise.all([
      this.#difference.text("base", path),
      this.#difference.text("candidate", path),
    ]);
    const name = nameOf(path);
    const reach = await this.#scriptReach();
    const isReached = (script: string): boolean => reach(path, script);
    const { forChecks, problem, note } = guardedKeyed(() =>
      compareKeyed(name, before ?? "", after ?? "", isReached),
    );
    if (note !== undefined) this.#findings.push(finding("protected", path, "note", note));
    if (forChecks === "candidate") return;
    this.#protect(change, "protected", problem);
    if (forChecks !== "base") this.#instead.set(path, { path, mode: candidate.mode, content: forChecks });
  }

  /** Looked for once, when a manifest is changed. */
  #scriptReach(): Promise<ScriptReach> {
    const { contract, matches } = this.#request;
    this.#reach ??= scriptReach(contract, matches, this.#difference);
    return this.#reach;
  }

  /** The base's version in pass A; and a person, if there is a problem. */
  #protect(change: Change, gate: string, problem: string | null): void {
    const { path, base } = change;
    this.#protected.push(change);
    this.#instead.set(path, base);
    const { protection } = this.#request.contract;
    const text = problem ?? (protection === "additive" ? null : "changed");
    if (text === null) return;
    const isParked = gate === "submodule" || protection !== "strict";
    this.#findings.push(finding(gate, path, isParked ? "review" : "refuse", text));
  }

  /** All that pass A has, with no candidate's path above or below a protected one. */
  #entries(): readonly ComposedEntry[] | null {
    if (this.#instead.size === 0) return null;
    const entries = new Map<string, ComposedEntry>(this.#difference.candidate);
    for (const [path, entry] of this.#instead) {
      if (entry === undefined) entries.delete(path);
      else entries.set(path, entry);
    }
    const restored = new Set(
      [...this.#instead].filter(([, entry]) => entry !== undefined).map(([path]) => path),
    );
    for (const path of restored) for (const folder of foldersOf(path)) entries.delete(folder);
    for (const { path } of this.#difference.added) {
      if (foldersOf(path).some((folder) => restored.has(folder))) entries.delete(path);
    }
    return [...entries.values()];
  }
}

/** Where held-out files are put, nothing of the worker's is to be. */
function heldOutTargets({ criteria }: Contract): string[] {
  return criteria.flatMap(({ check }) => {
    const target = posix.normalize(check?.held_out?.target ?? ".").replace(/\/$/, "");
    return target === "." ? [] : [`/${target.replace(/[\\*?[\]{}]/g, "\\$&")}/**`];
  });
}

/** What cannot be compared is as good as changed. */
async function guarded(compare: () => Promise<string | null>): Promise<string | null> {
  try {
    return await compare();
  } catch (error) {
    if (error instanceof RangeError) return `changed, and too deep to be compared: ${messageOf(error)}`;
    throw error;
  }
}

function guardedKeyed(compare: () => KeyedChange): KeyedChange {
  try {
    return compare();
  } catch (error) {
    if (error instanceof RangeError) return { forChecks: "base", problem: "too deep to be compared" };
    throw error;
  }
}

function limited(findings: readonly Finding[]): Finding[] {
  if (findings.length <= FINDINGS_MAX) return [...findings];
  const order = ["refuse", "review", "note"];
  const sorted = findings.toSorted((one, other) => order.indexOf(one.effect) - order.indexOf(other.effect));
  const rest = finding(
    "protected",
    "",
    "refuse",
    `${findings.length - FINDINGS_MAX} more findings: too many to be looked at`,
  );
  return [...sorted.slice(0, FINDINGS_MAX), rest];
}
