/** The commands with their arguments and flags; each loads its own code when it is called. */
import { Command, CommanderError } from "commander";
import { NightshiftError } from "../core/errors.ts";
import { packageVersion } from "../runtime/version.ts";
import type { CommandContext } from "./context.ts";
import { dollars, duration, names, oneOf, price, webAddress, wholeNumber } from "./flags.ts";

const COUNT_MAX = 1_000_000_000;
const TOKENS_MAX = 1_000_000_000_000;
const STEERING = ["enqueue", "interrupt", "reject"] as const;

/** Parses and runs one command. @returns its exit code @throws NightshiftError `E_USAGE`, and what the command throws */
export async function runProgram(words: readonly string[], context: CommandContext): Promise<number> {
  const outcome = { exitCode: 0 };
  const program = new Command("nightshift")
    .description("Runs AI agents for hours and days: capped, resumable, kept in an append-only log.")
    .version(packageVersion())
    .enablePositionalOptions()
    .showSuggestionAfterError(true);
  addDrivingCommands(program, context, outcome);
  addPersonCommands(program, context, outcome);
  addLookingCommands(program, context, outcome);
  addRepairCommands(program, context, outcome);
  addToolCommands(program, context, outcome);
  for (const command of [program, ...program.commands]) strict(command, context);
  try {
    if (words.length === 0) program.outputHelp();
    else await program.parseAsync(["node", "nightshift", ...words]);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Help and version were asked for and have been printed.
    if (error.exitCode === 0 || error.code === "commander.help") return 0;
    throw new NightshiftError("E_USAGE", error.message.replace(/^error: /, ""));
  }
  return outcome.exitCode;
}

interface Outcome {
  exitCode: number;
}

/** Errors become ours; nothing is printed or ended behind our back. */
function strict(command: Command, { output }: CommandContext): void {
  command.exitOverride().configureOutput({
    writeOut: (text) => output.print(text.trimEnd()),
    writeErr: () => undefined,
    outputError: () => undefined,
    getOutHelpWidth: () => output.width,
  });
}

function withPlace(command: Command): Command {
  return command
    .option("--state <folder>", "state folder (default: one per repository, below $XDG_STATE_HOME)")
    .option("-C, --directory <folder>", "work in this folder instead of the current one");
}

function withCaps(command: Command): Command {
  return command
    .option("--max-requests <count>", "cap on model requests", wholeNumber("--max-requests", COUNT_MAX))
    .option(
      "--max-tokens <count>",
      "cap on tokens, input and output",
      wholeNumber("--max-tokens", TOKENS_MAX),
    )
    .option("--max-cost <dollars>", "cap on money; needs a price", dollars("--max-cost"));
}

function addDrivingCommands(program: Command, context: CommandContext, outcome: Outcome): void {
  const run = program
    .command("run")
    .description("start a session and drive it until it rests")
    .argument("<prompt...>", "what is to be done; - reads it from standard input")
    .option("--model <provider:model>", "for example anthropic:claude-sonnet-5 or scripted:script.json");
  withCaps(withPlace(run))
    .option("--price <input,output>", "dollars per million tokens", price("--price"))
    .option("--max-output-tokens <count>", "cap of one answer", wholeNumber("--max-output-tokens", 1_000_000))
    .option("--base-url <address>", "where the provider's API is", webAddress("--base-url"))
    .option("--tools <names>", "tools of the agent, with commas; none for none", names("--tools"))
    .option("--system <text>", "system prompt")
    .option("--title <text>", "title for listings")
    .option("--sandbox <backend>", "where commands run; process is no isolation")
    .option(
      "--idle-timeout <duration>",
      "give up a request without a sign of life",
      duration("--idle-timeout", 100),
    )
    .option("--tool-timeout <duration>", "kill a command after this long", duration("--tool-timeout", 100))
    .option(
      "--max-failures <count>",
      "failures of the model in a row before it gives up (default 10)",
      wholeNumber("--max-failures", 1000),
    )
    .option(
      "--steering <policy>",
      "messages while it works: enqueue, interrupt, reject",
      oneOf("--steering", STEERING),
    )
    .option("--json", "print one JSON value in the end instead of progress")
    .option("--verbose", "show more of what happens")
    .option("--yes", "ask nothing")
    .action(async (words, flags) => {
      const { run } = await import("./commands/run.ts");
      outcome.exitCode = await run(context, words, flags);
    });
  withCaps(withPlace(program.command("resume")))
    .description("carry a session on: the newest one, a given one, or all that are due")
    .argument("[session]", "id, or its beginning")
    .option("--all", "everything that is due")
    .option("--stay", "with --all: stay, and drive what becomes due later")
    .option(
      "--concurrency <count>",
      "with --all: sessions at once (default 8)",
      wholeNumber("--concurrency", 1000),
    )
    .option("--json", "print one JSON value in the end instead of progress")
    .option("--verbose", "show more of what happens")
    .action(async (id, flags) => {
      const { resume } = await import("./commands/resume.ts");
      outcome.exitCode = await resume(context, id, flags);
    });
}

function addPersonCommands(program: Command, context: CommandContext, outcome: Outcome): void {
  const person = (name: string, description: string): Command =>
    withPlace(program.command(name))
      .description(description)
      .argument("<session>", "id, or its beginning")
      .option("--json", "print JSON");
  person("send", "send a message to a session")
    .argument("<text...>", "the message; - reads it from standard input")
    .option(
      "--steering <policy>",
      "if it works now: enqueue, interrupt, reject",
      oneOf("--steering", STEERING),
    )
    .action(async (id, words, flags) => {
      const { send } = await import("./commands/send.ts");
      outcome.exitCode = await send(context, id, words, flags);
    });
  person("submit", "send client events: a JSON list of {type, body} on standard input").action(
    async (id, flags) => {
      const { submitEvents } = await import("./commands/send.ts");
      outcome.exitCode = await submitEvents(context, id, flags);
    },
  );
  person("interrupt", "abort the model's answer; running tools may finish").action(async (id, flags) => {
    const { interrupt } = await import("./commands/send.ts");
    outcome.exitCode = await interrupt(context, id, flags);
  });
  person("pause", "no new model request until resume; what runs may finish")
    .option("--reason <text>", "for the log")
    .action(async (id, flags) => {
      const { pause } = await import("./commands/send.ts");
      outcome.exitCode = await pause(context, id, flags);
    });
  person("stop", "kill running tools and the request; resume goes on")
    .option("--cancel", "the session is over for good")
    .option("--reason <text>", "for the log")
    .action(async (id, flags) => {
      const { stop } = await import("./commands/send.ts");
      outcome.exitCode = await stop(context, id, flags);
    });
  for (const [name, result] of [
    ["approve", "allow"],
    ["deny", "deny"],
  ] as const) {
    person(name, `${result} a call that waits for a person`)
      .argument("<call>", "for example c3_0")
      .option("--reason <text>", "for the agent")
      .action(async (id, call, flags) => {
        const { confirm } = await import("./commands/send.ts");
        outcome.exitCode = await confirm(context, id, call, { ...flags, result });
      });
  }
}

function addLookingCommands(program: Command, context: CommandContext, outcome: Outcome): void {
  withPlace(program.command("status"))
    .description("where a session stands and what comes next; without one, the state folder")
    .argument("[session]", "id, or its beginning")
    .option("--json", "print JSON")
    .action(async (id, flags) => {
      const { status } = await import("./commands/status.ts");
      outcome.exitCode = await status(context, id, flags);
    });
  withPlace(program.command("list"))
    .description("the sessions of a state folder, newest first")
    .option("--limit <count>", "sessions on a page (default 20)", wholeNumber("--limit", 1000))
    .option("--after <session>", "the page after this session")
    .option("--json", "print JSON")
    .action(async (flags) => {
      const { list } = await import("./commands/list.ts");
      outcome.exitCode = await list(context, flags);
    });
  withPlace(program.command("logs"))
    .description("what happened in a session, for people")
    .argument("[session]", "id, or its beginning; default: the newest")
    .option("-f, --follow", "stay and show what comes")
    .option(
      "--tail <count>",
      "only what came out of the last so many events",
      wholeNumber("--tail", COUNT_MAX),
    )
    .option("--after <position>", "only events after this one", wholeNumber("--after", COUNT_MAX, 0))
    .option("--verbose", "show more of what happens")
    .action(async (id, flags) => {
      const { logs } = await import("./commands/events.ts");
      outcome.exitCode = await logs(context, id, flags);
    });
  withPlace(program.command("events"))
    .description("the log of a session, event by event")
    .argument("[session]", "id, or its beginning; default: the newest")
    .option("-f, --follow", "stay and print what comes")
    .option("--after <position>", "only events after this one", wholeNumber("--after", COUNT_MAX, 0))
    .option("--tail <count>", "only the last so many events", wholeNumber("--tail", COUNT_MAX))
    .option("--types <types>", "only these types, with commas", names("--types"))
    .option("--json", "print whole events, one JSON value a line")
    .action(async (id, flags) => {
      const { events } = await import("./commands/events.ts");
      outcome.exitCode = await events(context, id, flags);
    });
}

function addRepairCommands(program: Command, context: CommandContext, outcome: Outcome): void {
  withPlace(program.command("fsck"))
    .description("check chain, heads and long texts of a session, or of all; writes nothing")
    .argument("[session]", "id, or its beginning")
    .option("--head <position:hash>", "a head that was kept elsewhere: shows forgery too")
    .option("--fork", "if it is damaged, go on in a new session from the last sound event")
    .option("--into <folder>", "state folder for the fork")
    .option("--json", "print JSON")
    .action(async (id, flags) => {
      const { fsck } = await import("./commands/repair.ts");
      outcome.exitCode = await fsck(context, id, flags);
    });
  withPlace(program.command("fork"))
    .description("copy a session, or the beginning of it, into a new one")
    .argument("<session>", "id, or its beginning")
    .option(
      "--at <position>",
      "last event to copy (default: all that is sound)",
      wholeNumber("--at", COUNT_MAX),
    )
    .option("--into <folder>", "state folder of the copy")
    .option("--json", "print JSON")
    .action(async (id, flags) => {
      const { fork } = await import("./commands/repair.ts");
      outcome.exitCode = await fork(context, id, flags);
    });
  withPlace(program.command("erase"))
    .description("remove the texts of one event for good, for example a leaked secret")
    .argument("<session>", "id, or its beginning")
    .argument("<position>", "the event", wholeNumber("position", COUNT_MAX))
    .requiredOption("--reason <text>", "for the log")
    .option("--json", "print JSON")
    .action(async (id, position, flags) => {
      const { erase } = await import("./commands/repair.ts");
      outcome.exitCode = await erase(context, id, position, flags);
    });
}

function addToolCommands(program: Command, context: CommandContext, outcome: Outcome): void {
  program
    .command("demo")
    .description("see what a kill -9 costs: offline, without a key, under a minute")
    .option("--keep", "keep the folder")
    .action(async (flags) => {
      const { demo } = await import("./commands/demo.ts");
      outcome.exitCode = await demo(context, flags);
    });
  withPlace(program.command("doctor"))
    .description("try out what this machine can do, and say how to mend the rest")
    .option("--json", "print JSON")
    .action(async (flags) => {
      const { doctor } = await import("./commands/doctor.ts");
      outcome.exitCode = await doctor(context, flags);
    });
  program
    .command("conformance")
    .description("run the contracts of the seams on this machine: store, sandbox, model")
    .argument("[seam]", "default: all")
    .option("--backend <name>", "default: all of the seam")
    .option("--json", "print only the counts, as JSON")
    .action(async (seam, flags) => {
      const { conformance } = await import("./commands/conformance.ts");
      outcome.exitCode = await conformance(context, seam, flags);
    });
  program
    .command("model-server")
    .description("play a script as a model over HTTP, for rehearsals")
    .argument("<script>", "path of a script file")
    .option("--port <number>", "default: any free one", wholeNumber("--port", 65_535, 0))
    .action(async (script, flags) => {
      const { modelServer } = await import("./commands/model-server.ts");
      outcome.exitCode = await modelServer(context, script, flags);
    });
}
