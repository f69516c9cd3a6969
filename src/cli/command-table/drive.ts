/** `run` and `resume`. */
import type { ResumeFlags } from "../commands/resume.ts";
import type { RunFlags } from "../commands/run.ts";
import { duration, heldOut, hosts, names, oneOf, price, webAddress, wholeNumber } from "../flags.ts";
import { PEOPLE_FLAGS } from "../people-flags.ts";
import { CAP_FLAGS, DAY_CAP_FLAG, LIMIT_FLAGS } from "./caps.ts";
import {
  ANY_SESSION,
  type CommandSpec,
  command,
  type FlagSpec,
  IGNORE_PROJECT_FLAG,
  PLACE_FLAGS,
} from "./spec.ts";

const DETACH_FLAG: FlagSpec = {
  name: "detach",
  description: "go on in the background, also when this terminal closes, and keep the machine awake",
};

const RESULT_FLAG: FlagSpec = {
  name: "json",
  description: "print one JSON value in the end instead of progress",
};
const VERBOSE_FLAG: FlagSpec = { name: "verbose", description: "show more of what happens" };

/** Which model, and how it is reached. */
export const MODEL_FLAGS: readonly FlagSpec[] = [
  {
    name: "model",
    value: "<provider:model>",
    description: "for example anthropic:claude-sonnet-5 or scripted:script.json",
  },
  {
    name: "base-url",
    value: "<address>",
    description: "where the provider's API is",
    parse: webAddress("--base-url"),
  },
  {
    name: "price",
    value: "<input,output>",
    description: "dollars per million tokens",
    parse: price("--price"),
  },
  {
    name: "max-output-tokens",
    value: "<count>",
    description: "cap of one answer",
    parse: wholeNumber("--max-output-tokens", 1_000_000),
  },
];

/** What done means. */
export const CHECK_FLAG: FlagSpec = {
  name: "check",
  value: "<command>",
  description: "done means that this passes when the harness runs it; may be repeated",
  repeats: true,
};

/** What has to be met, and what may not be touched. */
export const CONTRACT_FLAGS: readonly FlagSpec[] = [
  CHECK_FLAG,
  { name: "contract", value: "<file>", description: "what has to be met: a contract, prd.json, a checklist" },
  {
    name: "rubric",
    value: "<text>",
    description: "what a judge has to find true; may be repeated",
    repeats: true,
  },
  {
    name: "held-out",
    value: "<folder:target>",
    description: "tests that the agent never sees, and where they are put for the check",
    parse: heldOut,
    repeats: true,
  },
  {
    name: "exempt",
    value: "<test>",
    description: "a test that need not pass, by its id; * stands for anything; may be repeated",
    repeats: true,
  },
  {
    name: "protect",
    value: "<glob>",
    description: "files that the agent may not change, besides tests and their configuration",
    repeats: true,
  },
  {
    name: "protection",
    value: "<policy>",
    description: "of such files: additive (default; new tests are fine), strict, review",
    parse: oneOf("--protection", ["additive", "strict", "review"]),
  },
  {
    name: "max-verdicts",
    value: "<count>",
    description: "cap on verdicts (default: 20)",
    parse: wholeNumber("--max-verdicts", 10_000),
  },
  {
    name: "max-files",
    value: "<count>",
    description: "files that may be changed before a person has to look",
    parse: wholeNumber("--max-files", 1_000_000),
  },
  {
    name: "max-lines",
    value: "<count>",
    description: "the same for lines, added and removed, lockfiles left out",
    parse: wholeNumber("--max-lines", 1_000_000_000),
  },
];

const JUDGE_FLAG: FlagSpec = {
  name: "judge-model",
  value: "<provider:model>",
  description:
    "grades rubrics (default: another than the agent's, where one is known); may be repeated: all have to agree",
  repeats: true,
};

const AGENT_FLAGS: readonly FlagSpec[] = [
  {
    name: "tools",
    value: "<names>",
    description: "tools of the agent, with commas; none for none",
    parse: names("--tools"),
  },
  { name: "system", value: "<text>", description: "system prompt" },
  { name: "title", value: "<text>", description: "title for listings" },
  {
    name: "sandbox",
    value: "<backend>",
    description: "where commands run: bubblewrap, docker; process is no isolation (default: what works)",
  },
  {
    name: "dirty",
    value: "<choice>",
    description: "changes that are not committed: refuse (default), include, ignore",
    parse: oneOf("--dirty", ["refuse", "include", "ignore"]),
  },
  { name: "base", value: "<revision>", description: "begin with this commit (default: what is checked out)" },
  {
    name: "network",
    value: "<hosts>",
    description: "what commands may reach, with commas: host[:port][/path] (default: nothing)",
    parse: hosts("--network"),
  },
  {
    name: "setup",
    value: "<command>",
    description: "make what it needs available, dependencies too: for example 'npm test'",
    parse: (text) => text.trim().split(/\s+/),
  },
  {
    name: "deps",
    value: "<choice>",
    description: "when the agent changes what --setup installs: ask (default), allow, deny",
    parse: oneOf("--deps", ["allow", "ask", "deny"]),
  },
  {
    name: "mount",
    value: "<folders>",
    description: "folders to see as well, with commas: source[:target][:rw]",
    parse: (text) => text.split(","),
  },
  {
    name: "idle-timeout",
    value: "<duration>",
    description: "give up a request without a sign of life (default 10m)",
    parse: duration("--idle-timeout", 100),
  },
  {
    name: "tool-timeout",
    value: "<duration>",
    description: "kill a command after this long (default 10m)",
    parse: duration("--tool-timeout", 100),
  },
  {
    name: "max-failures",
    value: "<count>",
    description: "failures of the model in a row before it gives up (default 10)",
    parse: wholeNumber("--max-failures", 1000),
  },
  {
    name: "context",
    value: "<policy>",
    description: "a context that fills up: auto, continue, reset",
    parse: oneOf("--context", ["auto", "continue", "reset"]),
  },
  {
    name: "context-window",
    value: "<tokens>",
    description: "what the model takes, when that is not known of it",
    parse: wholeNumber("--context-window", 100_000_000),
  },
  {
    name: "steering",
    value: "<policy>",
    description: "messages while it works: enqueue, interrupt, reject",
    parse: oneOf("--steering", ["enqueue", "interrupt", "reject"]),
  },
];

const PROGRAM_FLAGS: readonly FlagSpec[] = [
  {
    name: "attempt-timeout",
    value: "<duration>",
    description: "of a program: kill an attempt after this long (default 2h)",
    parse: duration("--attempt-timeout", 100),
  },
  {
    name: "stall-after",
    value: "<count>",
    description: "of a program: stop after attempts in a row that change nothing (default 3)",
    parse: wholeNumber("--stall-after", 1000),
  },
  {
    name: "allow-models",
    value: "<names>",
    description: "of a program without --model: what it may ask for, with commas (default: anything)",
    parse: (text) => text.split(",").filter((name) => name !== ""),
  },
];

const WORKER_FLAG: FlagSpec = {
  name: "worker",
  value: "<kind>",
  description: "loop (default), or command: the program that follows --",
  parse: oneOf("--worker", ["loop", "command"]),
};

/** How a session goes, whatever has to be met and whoever works in it. */
export const SESSION_FLAGS: readonly FlagSpec[] = [
  ...CAP_FLAGS,
  DAY_CAP_FLAG,
  ...LIMIT_FLAGS,
  JUDGE_FLAG,
  ...AGENT_FLAGS,
  ...PEOPLE_FLAGS,
  DETACH_FLAG,
  VERBOSE_FLAG,
];

const BEGIN_FLAGS: readonly FlagSpec[] = [
  ...MODEL_FLAGS,
  ...PLACE_FLAGS,
  ...CONTRACT_FLAGS,
  ...PROGRAM_FLAGS,
  ...SESSION_FLAGS,
  IGNORE_PROJECT_FLAG,
  RESULT_FLAG,
  { name: "yes", description: "ask nothing" },
];

/** Commands that drive sessions. */
export const driveCommands: readonly CommandSpec[] = [
  command<RunFlags>({
    name: "run",
    description: "start a session and drive it until it rests",
    arguments: [
      { name: "prompt", description: "what is to be done; - reads it from standard input", kind: "any" },
    ],
    flags: [...BEGIN_FLAGS, WORKER_FLAG],
    run: async (context, words, flags) => (await import("../commands/run.ts")).run(context, words, flags),
  }),
  command<RunFlags>({
    name: "ralph",
    description: "let the program that follows -- try until the checks pass: run --worker command",
    arguments: [{ name: "prompt", description: "what is to be done", kind: "any" }],
    flags: BEGIN_FLAGS,
    run: async (context, words, flags) => (await import("../commands/ralph.ts")).ralph(context, words, flags),
  }),
  command<ResumeFlags>({
    name: "resume",
    description: "carry a session on: the newest one, a given one, or all that are due",
    arguments: [ANY_SESSION],
    flags: [
      ...PLACE_FLAGS,
      ...CAP_FLAGS,
      DAY_CAP_FLAG,
      { name: "all", description: "everything that is due" },
      {
        name: "stay",
        description: "stay, and drive what becomes due later: until it is over, or with --all for good",
      },
      DETACH_FLAG,
      { name: "yes", description: "ask nothing" },
      {
        name: "concurrency",
        value: "<count>",
        description: "with --all: sessions at once (default 8)",
        parse: wholeNumber("--concurrency", 1000),
      },
      RESULT_FLAG,
      VERBOSE_FLAG,
    ],
    run: async (context, [id], flags) => (await import("../commands/resume.ts")).resume(context, id, flags),
  }),
];
