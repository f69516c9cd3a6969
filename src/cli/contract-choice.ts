/** The contract that a command line asks for, ready to be sealed. */
import { isAbsolute, join, relative, resolve } from "node:path";
import { type Contract, contractHash } from "../core/contract/contract.ts";
import { NightshiftError } from "../core/errors.ts";
import { type EventInput, event } from "../core/events/index.ts";
import type {
  ContractOptions,
  ContractParts,
  HeldOutOption,
  SourcedContract,
} from "../planning/contract-source.ts";
import type { Settings } from "../runtime/config.ts";
import { checkKept } from "../runtime/kept-contract.ts";
import type { OpenHarness } from "../runtime/open.ts";
import { placeInTree } from "../runtime/state-folder.ts";

/** Flags that say what has to be met. */
export interface ContractFlags {
  readonly check?: readonly string[];
  /** Where the checks were said, absolute; absent: in the workspace. */
  readonly checksIn?: string;
  readonly contract?: string;
  readonly rubric?: readonly string[];
  readonly heldOut?: readonly HeldOutOption[];
  readonly exempt?: readonly string[];
  readonly protect?: readonly string[];
  readonly protection?: "strict" | "additive" | "review";
  readonly deps?: "allow" | "ask" | "deny";
  readonly setup?: readonly string[];
  readonly maxVerdicts?: number;
  readonly maxFiles?: number;
  readonly maxLines?: number;
}

const NEEDED = ["check", "contract", "rubric", "heldOut"] as const;
const DEPENDENT = ["exempt", "protect", "protection", "maxVerdicts", "maxFiles", "maxLines"] as const;

/**
 * What the flags say of it, for the root of the working tree; undefined when nothing was said that could be verified.
 * @throws NightshiftError `E_USAGE` for rules about nothing
 */
export function contractOptions(
  flags: ContractFlags,
  prompt: string,
  workspace: string,
): ContractOptions | undefined {
  if (NEEDED.every((name) => flags[name] === undefined)) {
    const unfit = DEPENDENT.find((name) => flags[name] !== undefined);
    if (unfit === undefined) return undefined;
    throw new NightshiftError("E_USAGE", "rules about files and verdicts need something to verify", {
      hint: "Pass --check with the command that has to pass, or --contract with a file.",
    });
  }
  return optionsOf(flags, prompt, workspace);
}

/** Commands are run where they were said. Paths of a contract begin at the root, as the checkout does. */
function optionsOf(flags: ContractFlags, prompt: string, workspace: string): ContractOptions {
  const { check: checks, contract, rubric, heldOut, exempt } = flags;
  const { root } = placeInTree(workspace);
  const { subfolder } = placeInTree(flags.checksIn ?? workspace);
  const checksIn = checks === undefined || subfolder === "" ? undefined : subfolder;
  const isWithin = contract === undefined || root === workspace || isAbsolute(contract);
  const contractFile = isWithin ? contract : relative(root, resolve(workspace, contract));
  const { protect, protection, deps, setup } = flags;
  const said = { checks, checksIn, contractFile, rubric, heldOut, exempt, protect, protection, deps, setup };
  return { prompt, isGoalOfChecks: prompt.trim() === "", ...withoutUndefined(said) };
}

/**
 * Undefined when nothing was said that could be verified.
 * @throws NightshiftError `E_CONTRACT_INVALID`, `E_CONTRACT_FILE`, `E_USAGE`
 */
export async function contractOf(
  flags: ContractFlags,
  prompt: string,
  settings: Settings,
): Promise<SourcedContract | undefined> {
  const options = contractOptions(flags, prompt, settings.workspace);
  if (options === undefined) return undefined;
  const { contractFrom } = await import("../planning/contract-source.ts");
  const { root } = placeInTree(settings.workspace);
  return capped(await contractFrom(options, root, await partsFor(settings)), flags);
}

/**
 * What the flags make of a contract that is in force: they replace what they name, and everything else is kept.
 * @throws NightshiftError `E_CONTRACT_INVALID`, `E_CONTRACT_FILE`, `E_USAGE` when nothing would change
 */
export async function contractAmendedBy(
  flags: ContractFlags,
  old: Contract,
  settings: Settings,
): Promise<SourcedContract> {
  if ([...NEEDED, ...DEPENDENT].every((name) => flags[name] === undefined))
    throw new NightshiftError("E_USAGE", "nothing says what is to be met from now on", {
      hint: "Pass what is to be another: --check, --protect, --max-verdicts, ...; or --contract with the whole new contract.",
    });
  const { contractAmended } = await import("../planning/contract-amended.ts");
  const parts = await partsFor(settings);
  const options = optionsOf(flags, old.goal, settings.workspace);
  const { root } = placeInTree(settings.workspace);
  const agreed = capped(await contractAmended(old, options, root, parts), flags);
  if (contractHash(agreed.contract) !== contractHash(old)) return agreed;
  throw new NightshiftError("E_USAGE", "that is the contract as it is already; nothing was changed", {
    hint: "Pass what is to be another.",
  });
}

async function partsFor({ stateFolder, workspace }: Settings): Promise<ContractParts> {
  const { keepHeldOut } = await import("../runtime/held-out.ts");
  const store = join(stateFolder, "held-out");
  return { keepHeldOut: async (folder) => keepHeldOut(folder, store, placeInTree(workspace).root) };
}

function capped(
  sourced: SourcedContract,
  { maxVerdicts: verdicts, maxFiles: files, maxLines: lines }: ContractFlags,
): SourcedContract {
  const said = withoutUndefined({ verdicts, files, lines });
  if (Object.keys(said).length === 0) return sourced;
  const limits = { ...sourced.contract.limits, ...said };
  return { ...sourced, contract: { ...sourced.contract, limits } };
}

/** The seal. @throws NightshiftError `E_CONTRACT_INVALID` when the log would not keep it as it is */
export function sealedBy(
  harness: Pick<OpenHarness, "redactor">,
  { contract, source }: SourcedContract,
): EventInput<"contract.sealed"> {
  const hash = contractHash(contract);
  const sealed = event("contract.sealed", { contract, hash, source });
  checkKept(sealed, harness.redactor);
  return sealed;
}

type Defined<Fields> = { readonly [Name in keyof Fields]?: Exclude<Fields[Name], undefined> };

function withoutUndefined<Fields extends object>(fields: Fields): Defined<Fields> {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Defined<Fields>;
}
