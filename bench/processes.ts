/** Processes of their own, for what must be measured from outside, or where nothing else has run before. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";

/** A file of this folder as a path. */
export function benchFile(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

/** How to start a process. */
export interface ProcessOptions {
  /** Runs the node process itself, for example under a tracer. */
  readonly under?: readonly string[];
  readonly nodeArguments?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

/** Runs a file of this folder with node and JSON as its argument. @returns what it printed, parsed */
export async function runChild<Answer>(
  file: string,
  argument: object,
  options: ProcessOptions = {},
): Promise<Answer> {
  const { under = [], nodeArguments = [], environment = {} } = options;
  const command = [...under, process.execPath, ...nodeArguments, benchFile(file), JSON.stringify(argument)];
  return JSON.parse(await runProcess(command, environment)) as Answer;
}

/** Runs a command to its end. @returns its standard output @throws Error with its standard error */
export function runProcess(
  [program = "", ...rest]: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, ...environment };
    execFile(program, rest, { env, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${error.message}\n${stderr}`));
    });
  });
}

/** The JSON argument of a child. */
export function childArgument<Argument>(): Argument {
  return JSON.parse(process.argv[2] ?? "{}") as Argument;
}

/** Prints a child's answer. */
export function answer(value: object): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}
