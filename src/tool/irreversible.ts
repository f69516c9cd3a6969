/**
 * Commands whose effect leaves the machine and cannot be taken back there. The table is short and known to be
 * incomplete: it decides only what happens when nobody knows whether a command ran. Such a command then waits for
 * a person; any other is reported to the model as "outcome unknown".
 */
import { type ShellWord, splitCommands } from "./shell-words.ts";

/** Program, then the words that must follow in this order, other words between them allowed. */
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

/** True when some part of the command text is in the table. */
export function isIrreversible(command: string): boolean {
  return hasIrreversible(command, NESTED_MAX);
}

function hasIrreversible(text: string, nestedLeft: number): boolean {
  // What is nested deeper than anybody writes is not looked into; on the safe side.
  if (nestedLeft === 0) return true;
  return splitCommands(text).some(({ words, nested }) => {
    if (nested.some((inner) => hasIrreversible(inner, nestedLeft - 1))) return true;
    return starts(words).some((from) => isListed(words.slice(from), nestedLeft));
  });
}

/**
 * Where a program's name may be: after assignments and keywords, and after each wrapper at any later word, since
 * telling the options of every wrapper from their values would need a table of its own.
 */
function starts(words: readonly ShellWord[]): number[] {
  let at = 0;
  const isSkipped = ({ text }: ShellWord): boolean => /^\w+\+?=/.test(text) || KEYWORDS.has(text);
  while (words[at] !== undefined && isSkipped(words[at] as ShellWord)) at++;
  const name = words[at] && programName(words[at] as ShellWord);
  if (name === undefined || !WRAPPERS.has(name)) return [at];
  return words.map((_, index) => index).filter((index) => index > at);
}

function isListed(words: readonly ShellWord[], nestedLeft: number): boolean {
  const [first, ...rest] = words;
  if (first === undefined) return false;
  const name = programName(first);
  if (SHELLS.has(name) || name === "eval") {
    return rest.some(({ text }) => /\s/.test(text) && hasIrreversible(text, nestedLeft - 1));
  }
  return IRREVERSIBLE.some(([program, ...parts]) => program === name && containsInOrder(rest, parts));
}

function containsInOrder(words: readonly ShellWord[], parts: readonly string[]): boolean {
  let matched = 0;
  for (const { text } of words) if (text === parts[matched]) matched++;
  return matched === parts.length;
}

function programName({ text }: ShellWord): string {
  return text.slice(text.lastIndexOf("/") + 1);
}
