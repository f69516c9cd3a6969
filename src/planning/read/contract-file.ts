/** Our own form of a contract file: JSON that people and `nightshift plan` write. */
import * as z from "zod";
import { checkText, criterionIdOf, criterionOf, readCheck } from "../../core/contract/build.ts";
import { canonicalJson } from "../../core/contract/canonical.ts";
import { splitCommandText } from "../../core/contract/command.ts";
import {
  type Check,
  CONTRACT_DEFAULTS,
  type Contract,
  type Criterion,
} from "../../core/contract/contract.ts";
import { type FieldPath, fieldName, type JsonText } from "./json-text.ts";
import { fileError, parseWith } from "./parse.ts";

/** The number of this form; a file of a later one is not guessed at. */
const FORM = 1;

const line = z.string().max(100_000);
const argv = z.array(line).min(1).max(1000);
const hash = z.string().regex(/^[0-9a-f]{64}$/, "must be a SHA-256 in hex");

const check = z.union([
  line,
  z.strictObject({
    command: line.optional(),
    argv: argv.optional(),
    folder: line.optional(),
    shell: z.boolean().optional(),
    held_out: z
      .union([
        z.strictObject({ digest: hash, target: line }),
        /** Relative to the contract file. */
        z.strictObject({ folder: line, target: line }),
      ])
      .optional(),
    exempt: z.array(z.string().min(1).max(1000)).min(1).max(100).optional(),
  }),
]);

const criterion = z.strictObject({
  id: line.optional(),
  description: line,
  steps: z.array(line).max(1000).optional(),
  check: check.nullish(),
  role: z.enum(["earn", "keep"]).nullish(),
  rubric: z.array(line).max(1000).optional(),
  needs: z.array(line).max(1000).optional(),
  passes: z.unknown().optional(),
});

const ready = z.union([
  z.strictObject({ port: z.int().min(1).max(65_535) }),
  z.strictObject({ url: z.string().max(2048) }),
  z.strictObject({ argv }),
]);

const service = z.strictObject({
  argv,
  ready,
  within_ms: z.int().min(100).max(3_600_000).default(60_000),
});

const contractFile = z.strictObject({
  $schema: z.unknown().optional(),
  /** Of the contract as it was when a person accepted it. */
  accepted: hash.optional(),
  nightshift: z.int().max(FORM, "the file was written by a newer Nightshift; upgrade this one").optional(),
  goal: line.optional(),
  constraints: z.array(line).max(1000).default([]),
  criteria: z.array(criterion).max(5000),
  protect: z.array(line).max(5000).default([]),
  protection: z.enum(["strict", "additive", "review"]).default(CONTRACT_DEFAULTS.protection),
  setup: z.union([line, z.array(line).max(1000)]).optional(),
  services: z.array(service).max(20).default([]),
  deps: z.enum(["allow", "ask", "deny"]).default(CONTRACT_DEFAULTS.deps),
  judging: z.enum(["after-checks", "always"]).optional(),
  limits: z
    .strictObject({
      verdicts: z.int().min(1).max(10_000).default(CONTRACT_DEFAULTS.limits.verdicts),
      check_ms: z.int().min(1000).max(86_400_000).optional(),
      files: z.int().min(1).max(1_000_000).optional(),
      lines: z.int().min(1).max(1_000_000_000).optional(),
    })
    .prefault({}),
});

type CheckField = z.infer<typeof check>;

/** A criterion whose held-out files still lie in somebody's folder. */
export interface HeldOutFolder {
  readonly criterion: string;
  /** As in the file. */
  readonly folder: string;
  readonly target: string;
}

/** A contract file, read. */
export interface ReadContract {
  /** Its goal may be empty; without `setup` nobody said. */
  readonly contract: Omit<Contract, "setup"> & { readonly setup: string[] | undefined };
  readonly heldOut: readonly HeldOutFolder[];
  /** Hash of the contract that a person accepted, which this one may not be any more; null where nobody was asked. */
  readonly accepted: string | null;
  /** How many criteria are marked as passed, which counts for nothing. */
  readonly markedCount: number;
  readonly remarks: readonly string[];
}

/** @throws NightshiftError `E_CONTRACT_FILE`; `E_CONTRACT_INVALID` for a check that is no command */
export function readContractFile(json: JsonText, name: string): ReadContract {
  const file = parseWith(contractFile, json, name);
  const taken = new Set(file.criteria.flatMap(({ id }) => id ?? []));
  const heldOut: HeldOutFolder[] = [];
  const remarks: string[] = [];
  const criteria = file.criteria.map(({ check: field, passes: _passes, ...rest }, index): Criterion => {
    const id = rest.id ?? criterionIdOf(rest.description, taken);
    const parts = { ...rest, id, role: rest.role ?? null };
    const full = criterionOf({
      ...parts,
      steps: rest.steps ?? [],
      rubric: rest.rubric ?? [],
      needs: rest.needs ?? [],
    });
    if (field === undefined || field === null) return full;
    const wrong = (message: string): Error => fileError(name, json, ["criteria", index, "check"], message);
    const read = checkOf(field, wrong);
    remarks.push(...read.remarks);
    const { held_out: files, exempt } = typeof field === "string" ? {} : field;
    const checked = { ...read.check, ...(exempt !== undefined && { exempt }) };
    if (files === undefined) return { ...full, check: checked };
    if ("digest" in files) return { ...full, check: { ...checked, held_out: files } };
    heldOut.push({ criterion: id, ...files });
    return { ...full, check: checked };
  });
  const { $schema: _schema, nightshift: _form, accepted = null, ...said } = file;
  const { goal = "", setup, limits, judging, ...rest } = said;
  const contract: ReadContract["contract"] = {
    ...rest,
    goal,
    criteria,
    setup: typeof setup === "string" ? words(setup, json, name, ["setup"]) : setup,
    ...(judging !== undefined && { judging }),
    limits: {
      verdicts: limits.verdicts,
      ...(limits.check_ms !== undefined && { check_ms: limits.check_ms }),
      ...(limits.files !== undefined && { files: limits.files }),
      ...(limits.lines !== undefined && { lines: limits.lines }),
    },
  };
  const markedCount = file.criteria.filter(({ passes }) => passes === true).length;
  return { contract, heldOut, accepted, markedCount, remarks };
}

function checkOf(
  field: CheckField,
  wrong: (message: string) => Error,
): { readonly check: Check; readonly remarks: readonly string[] } {
  if (typeof field === "string") return readable(field, "", wrong);
  const { command, argv: given, folder = "", shell } = field;
  if ((command === undefined) === (given === undefined)) throw wrong("give either `command` or `argv`");
  if (given !== undefined) {
    if (shell === true && given.length !== 1) throw wrong("with `shell`, `argv` is one text");
    return { check: { argv: given, folder, shell: shell ?? false }, remarks: [] };
  }
  const text = command ?? "";
  if (shell === true) return { check: { argv: [text], folder, shell }, remarks: [] };
  return readable(text, folder, wrong);
}

function readable(
  text: string,
  folder: string,
  wrong: (message: string) => Error,
): { readonly check: Check; readonly remarks: readonly string[] } {
  const split = splitCommandText(text);
  if (split.kind === "broken") throw wrong(`"${text.slice(0, 100)}" is no command: ${split.problem}`);
  return readCheck(text, folder);
}

function words(text: string, json: JsonText, name: string, path: FieldPath): string[] {
  const split = splitCommandText(text);
  if (split.kind === "words") return [...split.words];
  throw fileError(name, json, path, `${fieldName(path)} takes a command without anything for a shell`);
}

/** The text of a file that reads as this contract again. @param accepted - its hash, where a person has accepted it */
export function contractFileText(contract: Contract, accepted?: string): string {
  const { goal, criteria, constraints, protect, protection, setup, services, deps, judging, limits } =
    contract;
  const file = {
    nightshift: FORM,
    ...(accepted !== undefined && { accepted }),
    goal,
    ...(constraints.length > 0 && { constraints }),
    criteria: criteria.map(criterionField),
    protect,
    protection,
    setup,
    ...(services.length > 0 && { services }),
    deps,
    ...(judging !== undefined && { judging }),
    limits,
  };
  return `${JSON.stringify(file, undefined, 2)}\n`;
}

function criterionField({ id, description, steps, check: own, role, rubric, needs }: Criterion): object {
  return {
    id,
    description,
    ...(steps.length > 0 && { steps }),
    ...(own !== null && { check: checkField(own) }),
    ...(role !== null && { role }),
    ...(rubric.length > 0 && { rubric }),
    ...(needs.length > 0 && { needs }),
  };
}

/** The plainest form that reads as the same check. */
function checkField(own: Check): CheckField {
  const { argv: given, folder, shell, held_out, exempt } = own;
  const text = checkText(own);
  const isPlain =
    splitCommandText(text).kind !== "broken" &&
    canonicalJson(readCheck(text).check) === canonicalJson({ argv: given, folder: "", shell });
  if (isPlain && folder === "" && held_out === undefined && exempt === undefined) return text;
  return {
    ...(isPlain ? { command: text } : { argv: given, shell }),
    ...(folder !== "" && { folder }),
    ...(held_out !== undefined && { held_out }),
    ...(exempt !== undefined && { exempt }),
  };
}
