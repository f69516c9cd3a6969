/**
 * Commands whose effect leaves the machine and cannot be taken back there. The table is short and known to be
 * incomplete: it decides only what happens when nobody knows whether a command ran. Such a command then waits for
 * a person; any other is reported to the model as "outcome unknown".
 */
import { splitCommands } from "./shell-words.ts";

/** Program, then its subcommands in this order, with options and their values between them, and options anywhere. */
const IRREVERSIBLE: readonly (readonly [string, ...string[]])[] = [
  ["git", "push"],
  ["git", "send-email"],
  ["npm", "publish"],
  ["npm", "unpublish"],
  ["npm", "deprecate"],
  ["npm", "dist-tag"],
  ["pnpm", "publish"],
  ["yarn", "publish"],
  ["yarn", "npm", "publish"],
  ["bun", "publish"],
  ["jsr", "publish"],
  ["cargo", "publish"],
  ["cargo", "yank"],
  ["twine", "upload"],
  ["uv", "publish"],
  ["poetry", "publish"],
  ["hatch", "publish"],
  ["flit", "publish"],
  ["gem", "push"],
  ["mvn", "deploy"],
  ["dotnet", "nuget", "push"],
  ["gh", "release", "create"],
  ["gh", "release", "delete"],
  ["gh", "release", "upload"],
  ["gh", "pr", "create"],
  ["gh", "pr", "merge"],
  ["gh", "pr", "comment"],
  ["gh", "issue", "create"],
  ["gh", "issue", "comment"],
  ["gh", "repo", "delete"],
  ["gh", "repo", "create"],
  ["gh", "workflow", "run"],
  ["gh", "api"],
  ["glab", "mr", "create"],
  ["glab", "mr", "merge"],
  ["glab", "release", "create"],
  ["docker", "push"],
  ["docker", "image", "push"],
  ["docker", "buildx", "build", "--push"],
  ["podman", "push"],
  ["skopeo", "copy"],
  ["helm", "install"],
  ["helm", "upgrade"],
  ["helm", "uninstall"],
  ["helm", "push"],
  ["kubectl", "apply"],
  ["kubectl", "create"],
  ["kubectl", "delete"],
  ["kubectl", "patch"],
  ["kubectl", "replace"],
  ["kubectl", "scale"],
  ["kubectl", "rollout"],
  ["kubectl", "drain"],
  ["terraform", "apply"],
  ["terraform", "destroy"],
  ["terraform", "import"],
  ["tofu", "apply"],
  ["tofu", "destroy"],
  ["pulumi", "up"],
  ["pulumi", "destroy"],
  ["cdk", "deploy"],
  ["cdk", "destroy"],
  ["serverless", "deploy"],
  ["ansible-playbook"],
  ["aws"],
  ["gcloud"],
  ["az"],
  ["vercel", "deploy"],
  ["vercel", "--prod"],
  ["netlify", "deploy"],
  ["fly", "deploy"],
  ["flyctl", "deploy"],
  ["wrangler", "deploy"],
  ["wrangler", "publish"],
  ["firebase", "deploy"],
  ["heroku"],
  ["ssh"],
  ["scp"],
  ["sendmail"],
  ["mail"],
];

/** Programs that run the program named after their own options. */
const WRAPPERS: ReadonlySet<string> = new Set([
  "builtin",
  "command",
  "doas",
  "env",
  "exec",
  "ionice",
  "nice",
  "nohup",
  "npx",
  "bunx",
  "setsid",
  "stdbuf",
  "sudo",
  "time",
  "timeout",
  "xargs",
]);

/** Words of the shell's grammar after which a command begins. */
const KEYWORDS: ReadonlySet<string> = new Set([
  "!",
  "{",
  "do",
  "elif",
  "else",
  "if",
  "then",
  "until",
  "while",
]);

/** Shells that take a command text after `-c`. */
const SHELLS: ReadonlySet<string> = new Set(["ash", "bash", "dash", "ksh", "sh", "zsh"]);

const NESTED_MAX = 8;
/** Of a wrapped command, this many words are looked at; nobody's wrapper has more options. */
const WRAPPED_WORDS_MAX = 32;

/** True when some part of the command text is in the table. */
export function isIrreversible(command: string): boolean {
  return runsProgram(command, (words) =>
    IRREVERSIBLE.some(([program, ...parts]) => program === words[0] && hasParts(words.slice(1), parts)),
  );
}

/** Does some part of the command text run a program such as this? Its words begin with the program's name. */
export function runsProgram(
  text: string,
  isMeant: (words: readonly string[]) => boolean,
  nestedLeft: number = NESTED_MAX,
): boolean {
  // What is nested deeper than anybody writes is not looked into; on the safe side.
  if (nestedLeft === 0) return true;
  const isInside = (inner: string): boolean => runsProgram(inner, isMeant, nestedLeft - 1);
  return splitCommands(text).some(({ words, nested }) => {
    if (nested.some(isInside)) return true;
    return programsIn(words).some(([first = "", ...rest]) => {
      const name = programName(first);
      if (isMeant([name, ...rest])) return true;
      return (SHELLS.has(name) || name === "eval") && rest.some((word) => /\s/.test(word) && isInside(word));
    });
  });
}

/**
 * The words from each place where a program's name may be: after assignments and keywords, and after a wrapper at
 * any later word, since telling the options of every wrapper from their values would need a table of its own.
 */
function programsIn(words: readonly string[]): (readonly string[])[] {
  const first = words.findIndex((word) => !/^\w+\+?=/.test(word) && !KEYWORDS.has(word));
  const program = words.slice(first);
  if (first === -1) return [];
  if (!WRAPPERS.has(programName(program[0] ?? ""))) return [program];
  const near = program.slice(1, 1 + WRAPPED_WORDS_MAX);
  return near.map((_, index) => near.slice(index));
}

/**
 * Are these subcommands and options among the words behind a program's name? A word after an option may be the
 * option's value, so it does not end the search for a subcommand.
 */
export function hasParts(words: readonly string[], parts: readonly string[]): boolean {
  const subcommands = parts.filter((part) => !part.startsWith("-"));
  if (parts.some((part) => part.startsWith("-") && !words.includes(part))) return false;
  let matched = 0;
  for (const [index, word] of words.entries()) {
    if (matched === subcommands.length) return true;
    if (word === subcommands[matched]) matched++;
    else if (!word.startsWith("-") && !words[index - 1]?.startsWith("-")) return false;
  }
  return matched === subcommands.length;
}

function programName(word: string): string {
  return word.slice(word.lastIndexOf("/") + 1);
}
