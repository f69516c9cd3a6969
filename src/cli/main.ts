/** The entry of the command line. Everything is loaded when it is needed: most commands should answer at once. */
import { NightshiftError } from "../core/errors.ts";
import { processEnvironment } from "../runtime/config.ts";
import { packageVersion } from "../runtime/version.ts";
import { reportFailure } from "./failure.ts";
import { Output } from "./output.ts";

async function main(words: readonly string[]): Promise<number> {
  const environment = processEnvironment();
  const output = new Output(environment.COLUMNS);
  const debug = (environment.NIGHTSHIFT_DEBUG ?? "") !== "";
  const fail = (error: unknown): number =>
    reportFailure(error, output, { json: words.includes("--json"), debug });
  process.once("uncaughtException", (error) => {
    // Left to node it would end with 1, which only a verdict may say.
    const exitCode = fail(error);
    void output.flush().finally(() => process.exit(exitCode));
  });
  let exitCode: number;
  try {
    if (process.platform === "win32") throw unsupported();
    exitCode = await dispatch(words, output);
  } catch (error) {
    exitCode = fail(error);
  }
  await output.flush();
  // Whoever keeps the output in a file would take what is there for all of it. How the work has ended says more.
  return exitCode === 0 && output.lost !== null ? fail(outputLost(output.lost)) : exitCode;
}

async function dispatch(words: readonly string[], output: Output): Promise<number> {
  if (words.length === 1 && (words[0] === "--version" || words[0] === "-V")) {
    output.print(packageVersion());
    return 0;
  }
  const { runProgram } = await import("./program.ts");
  return runProgram(words, { output, environment: processEnvironment(), directory: process.cwd() });
}

function outputLost(reason: string): NightshiftError {
  return new NightshiftError("E_OUTPUT_LOST", `standard output could not be written: ${reason}`);
}

function unsupported(): NightshiftError {
  return new NightshiftError("E_USAGE", "Windows is not supported", { hint: "Run it inside WSL2." });
}

// Ends although a timer or a socket may be left: what must be kept is in the log, not in this process.
process.exit(await main(process.argv.slice(2)));
