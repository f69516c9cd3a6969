/** A contract of whatever form a file has. */
import { dirname, resolve } from "node:path";
import { CONTRACT_DEFAULTS, type Contract, contractHash } from "../../core/contract/contract.ts";
import { isNightshiftError, messageOf, NightshiftError } from "../../core/errors.ts";
import { detectProject } from "../detect/detect.ts";
import { openFolder } from "../detect/folder.ts";
import { assemblePlan } from "./assemble.ts";
import type { ReadContract } from "./contract-file.ts";
import { readSource, readSourceFile } from "./read.ts";

/** Which file, and what a person said besides. */
export interface FileRequest {
  /** Absolute. */
  readonly path: string;
  /** As the person named it. */
  readonly name: string;
  /** Empty when they said nothing. */
  readonly prompt: string;
}

/** A contract with its source, not linted. */
export interface ContractOfFile extends Omit<Contract, "setup"> {
  /** Undefined: nobody said, so it is that of the checks. */
  readonly setup: string[] | undefined;
  readonly source: string;
  readonly remarks: readonly string[];
}

/** @param folder - the workspace @throws NightshiftError `E_CONTRACT_FILE` */
export async function contractFromFile(
  request: FileRequest,
  folder: string,
  parts: { keepHeldOut?(folder: string): Promise<string> },
): Promise<ContractOfFile> {
  const { path, name, prompt } = request;
  const read = readSource(await readSourceFile(path, name));
  if (read.kind === "contract") return await fromContract(read.read, request, parts);
  const facts = await detectProject(openFolder(folder));
  const { criteria, remarks } = namingFile(name, () => assemblePlan(read.plan, facts, name));
  const goal = prompt.trim() === "" ? (read.plan.goal ?? `Do everything that ${name} lists`) : prompt;
  return { ...CONTRACT_DEFAULTS, setup: undefined, goal, criteria: [...criteria], source: name, remarks };
}

async function fromContract(
  { contract, heldOut, accepted, markedCount, remarks: readRemarks }: ReadContract,
  { path, name, prompt }: FileRequest,
  { keepHeldOut }: { keepHeldOut?(folder: string): Promise<string> },
): Promise<ContractOfFile> {
  const digests = new Map<string, { readonly digest: string; readonly target: string }>();
  for (const { criterion, folder, target } of heldOut) {
    if (keepHeldOut === undefined)
      throw new NightshiftError(
        "E_CONTRACT_FILE",
        `${name}, ${criterion}: held-out files cannot be kept here`,
        {
          hint: "Use the file with `nightshift run --contract`.",
        },
      );
    digests.set(criterion, { digest: await keepHeldOut(resolve(dirname(path), folder)), target });
  }
  const criteria = contract.criteria.map((criterion) => {
    const held_out = digests.get(criterion.id);
    return held_out === undefined || criterion.check === null
      ? criterion
      : { ...criterion, check: { ...criterion.check, held_out } };
  });
  const remarks = [...readRemarks];
  if (markedCount > 0)
    remarks.push(
      `${markedCount} of its criteria say that they pass; that is ignored, for only a verdict says so`,
    );
  if (accepted !== null && !isAsAccepted(contract, accepted))
    remarks.push(`${name} was changed after it was accepted; what it says now counts`);
  const isOther =
    prompt.trim() !== "" && contract.goal.trim() !== "" && prompt.trim() !== contract.goal.trim();
  if (isOther) remarks.push(`the goal is that of ${name}; your prompt is only the first message`);
  const goal = contract.goal.trim() === "" ? prompt : contract.goal;
  return { ...contract, goal, criteria, source: name, remarks };
}

/** Whoever accepts a plan accepts all of it, its set-up too. */
function isAsAccepted({ setup, ...rest }: ReadContract["contract"], accepted: string): boolean {
  return setup !== undefined && contractHash({ ...rest, setup }) === accepted;
}

/** A check that is no command is the file's mistake. */
function namingFile<T>(name: string, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    if (!isNightshiftError(cause, "E_CONTRACT_INVALID")) throw cause;
    throw new NightshiftError("E_CONTRACT_FILE", `${name}: ${messageOf(cause)}`, { cause, hint: cause.hint });
  }
}
