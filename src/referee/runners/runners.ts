/** Recognises test runners, has them run with a reporter of the harness's, and reads what that has recorded. */
import { mkdir, writeFile } from "node:fs/promises";
import { join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import type { Check } from "../../core/contract/contract.ts";
import type { InstrumentedCheck, InstrumentRequest, RunnerMatch, Runners, TreeReader } from "../contract.ts";
import { instrumentPlain, isPlain } from "./plain-run.ts";
import { programOf } from "./programs.ts";
import { protectionOf } from "./protects.ts";
import { recognise } from "./recognise.ts";
import { reportOf } from "./report.ts";
import type { ScriptCommand } from "./script-text.ts";
import { stepsOf } from "./scripts.ts";
import { inFolder, quote } from "./shell.ts";

const ASSETS: string = fileURLToPath(new URL("./assets", import.meta.url));

/** The runners that there are. */
export function createRunners(): Runners {
  return { toolsFolder: ASSETS, match, around, instrument };
}

async function match(check: Check, tree: TreeReader): Promise<RunnerMatch | null> {
  const steps = (await stepsOf(check, tree)) ?? [];
  const kinds = steps.map(recognise);
  const at = kinds.findIndex((kind) => kind !== undefined);
  const [kind, step] = [kinds[at], steps[at]];
  // Two runners in one check have two records to keep; people name them as two checks.
  if (kind === undefined || step === undefined || kinds.filter((each) => each !== undefined).length > 1)
    return null;
  const others = [...steps.slice(0, at), ...steps.slice(at + 1)];
  if (others.some(({ hasPatterns }) => hasPatterns)) return null;
  return {
    kind,
    before: steps.slice(0, at).map(argvOf),
    after: steps.slice(at + 1).map(argvOf),
    argv: argvOf(step),
    folder: check.folder,
    ...(await protectionOf(kind, step.words, check.folder, tree)),
  };
}

function argvOf({ variables, words }: ScriptCommand): readonly string[] {
  return variables.length === 0 ? words : ["env", ...variables, ...words];
}

function around(found: RunnerMatch): {
  readonly before: readonly string[];
  readonly after: readonly string[];
} {
  const textOf = (argv: readonly string[]): string =>
    `${inFolder(found.folder)} && exec ${argv.map(quote).join(" ")}`;
  return { before: found.before.map(textOf), after: found.after.map(textOf) };
}

function instrument(request: InstrumentRequest): Promise<InstrumentedCheck> {
  return isPlain(request.match.kind) ? instrumentPlain(request) : instrumentWithKey(request);
}

async function instrumentWithKey(request: InstrumentRequest): Promise<InstrumentedCheck> {
  const { match: found, exchange, key } = request;
  const program = programOf(found, request.innerTools);
  const grant = { id: "main", key, exchange: exchange.inner, role: program.role, options: program.options };
  await mkdir(exchange.outer, { recursive: true });
  await writeFile(join(exchange.outer, "key"), JSON.stringify(grant), { mode: 0o600, flag: "wx" });
  const keyFile = quote(posix.join(exchange.inner, "key"));
  const command = [
    // Opened and gone before anything of the worker's runs.
    `exec 3<${keyFile} && rm -f -- ${keyFile}`,
    `cd ${quote(found.folder === "" ? "." : `./${found.folder}`)}`,
    program.command,
  ].join(" && ");
  return {
    command,
    environment: program.environment,
    report: () =>
      Promise.resolve(
        reportOf({
          ...{ runner: found.kind, exchange: exchange.outer, folder: found.folder },
          key: Buffer.from(key, "hex"),
        }),
      ),
  };
}
