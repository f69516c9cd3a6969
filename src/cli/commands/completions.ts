/** `completions`: a script that makes a shell complete commands, flags and sessions. */

import type { CommandSpec } from "../command-table/spec.ts";

type Commands = readonly CommandSpec[];

/** The lines of the script. */
export function completions(shell: "bash" | "zsh" | "fish", commands: Commands): string[] {
  return { bash: bashLines, zsh: zshLines, fish: fishLines }[shell](commands);
}

function takesSession({ arguments: expected }: CommandSpec): boolean {
  return expected.some(({ name }) => name === "session");
}

function flagWords({ flags }: CommandSpec): string {
  return [...flags.map(({ name }) => `--${name}`), "--help"].join(" ");
}

/** What a session may be called; nothing where there is no state folder. */
const SESSIONS = "nightshift list --ids 2>/dev/null";

function bashLines(commands: Commands): string[] {
  const names = commands.map(({ name }) => name).join(" ");
  return [
    '# eval "$(nightshift completions bash)"',
    "_nightshift() {",
    `  local word="\${COMP_WORDS[COMP_CWORD]}" words=""`,
    `  if [ "$COMP_CWORD" -eq 1 ]; then words="${names} --help --version"; else`,
    `    case "\${COMP_WORDS[1]}" in`,
    ...commands.map((spec) => {
      const sessions = takesSession(spec) ? ` [[ "$word" == -* ]] || words="$(${SESSIONS})";` : "";
      return `      ${spec.name}) words="${flagWords(spec)}";${sessions} ;;`;
    }),
    "    esac",
    "  fi",
    '  COMPREPLY=($(compgen -W "$words" -- "$word"))',
    "}",
    "complete -o default -F _nightshift nightshift",
  ];
}

/** Zsh understands those of bash. */
function zshLines(commands: Commands): string[] {
  return [
    '# eval "$(nightshift completions zsh)"',
    "autoload -U +X compinit && compinit",
    "autoload -U +X bashcompinit && bashcompinit",
    ...bashLines(commands).slice(1),
  ];
}

function fishLines(commands: Commands): string[] {
  const quoted = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
  return [
    "# nightshift completions fish | source",
    "complete -c nightshift -f",
    ...commands.flatMap((spec) => {
      const within = `__fish_seen_subcommand_from ${spec.name}`;
      return [
        `complete -c nightshift -n __fish_use_subcommand -a ${spec.name} -d ${quoted(spec.description)}`,
        ...spec.flags.map(
          ({ name, value, description }) =>
            `complete -c nightshift -n ${quoted(within)} -l ${name}${value === undefined ? "" : " -r"} -d ${quoted(description)}`,
        ),
        ...(takesSession(spec) ? [`complete -c nightshift -n ${quoted(within)} -a '(${SESSIONS})'`] : []),
      ];
    }),
  ];
}
