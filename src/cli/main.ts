/** The entry of the command line. Everything is loaded when it is needed: most commands should answer at once. */
import { NightshiftError } from "../core/errors.ts";
import { processEnvironment } from "../runtime/config.ts";
import { packageVersion } from "../runtime/version.ts";
import { reportFailure } from "./failure.ts";
import { Output } from "./output.ts";

async function main(words: readonly string[]): Promise<number> {
  const environment = processEnvironment();
  const output = new Output(environment.COLUMNS);
  let exitCode: number;
  try {
    if (process.platform === "win32") throw unsupported();
    exitCode = await dispatch(words, output);
  } catch (error) {
    const debug = (environment.NIGHTSHIFT_DEBUG ?? "") !== "";
    exitCode = reportFailure(error, output, { json: words.includes("--json"), debug });
  }
  await output.flush();
  return exitCode;
}

async function dispatch(words: readonly string[], output: Output): Promise<number> {
  if (words.length === 1 && (words[0] === "--version" || words[0] === "-V")) {
    output.print(packageVersion());
    return 0;
  }
  const { runProgram } = await import("./program.ts");
  return runProgram(words, { output, environment: processEnvironment(), directory: process.cwd() });
}

function unsupported(): NightshiftError {
  return new NightshiftError("E_USAGE", "Windows is not supported", { hint: "Run it inside WSL2." });
}

// Ends although a timer or a socket may be left: what must be kept is in the log, not in this process.
process.exit(await main(process.argv.slice(2)));
