/** What programs that are known need to find their model through the gateway, and to keep from doing anything else. */
import { basename } from "node:path";
import type { CommandAgent } from "../core/command/state.ts";

/** Stands for the prompt in a program's arguments. */
export const PROMPT_WORD = "{prompt}";

/** The program that a command line starts, if it is a known one. */
export function knownAgent(argv: readonly string[]): NonNullable<CommandAgent["known"]> | undefined {
  switch (basename(argv[0] ?? "")) {
    case "claude":
      return "claude";
    case "codex":
      return "codex";
    case "opencode":
      return "opencode";
    default:
      return undefined;
  }
}

/** Where a program finds its models. */
export interface ModelAddress {
  /** Without a slash at the end, and without a version. */
  readonly url: string;
  /** Worth nothing anywhere else. */
  readonly token: string;
}

/** The variables of a program: both families of wires, under the names that most clients look for. */
export function agentEnvironment(
  { known, gateway }: CommandAgent,
  { url, token }: ModelAddress,
  model: string,
): Readonly<Record<string, string>> {
  if (gateway === undefined) return {};
  return {
    ANTHROPIC_BASE_URL: url,
    ANTHROPIC_API_KEY: token,
    OPENAI_BASE_URL: `${url}/v1`,
    OPENAI_API_BASE: `${url}/v1`,
    OPENAI_API_KEY: token,
    ...(known !== undefined && OWN[known]({ url, token }, gateway.forced ? model : undefined)),
  };
}

type OwnVariables = (address: ModelAddress, forced: string | undefined) => Readonly<Record<string, string>>;

const OWN: { readonly [name in NonNullable<CommandAgent["known"]>]: OwnVariables } = {
  claude: (_address, forced) => ({
    // It is in a sandbox, and may do there what it likes.
    IS_SANDBOX: "1",
    DISABLE_TELEMETRY: "1",
    DISABLE_ERROR_REPORTING: "1",
    DISABLE_AUTOUPDATER: "1",
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
    ...(forced !== undefined && { ANTHROPIC_MODEL: forced }),
  }),
  codex: () => ({}),
  opencode: ({ url, token }, forced = "default") => ({
    OPENCODE_DISABLE_AUTOUPDATE: "1",
    OPENCODE_DISABLE_MODELS_FETCH: "1",
    OPENCODE_CONFIG_CONTENT: JSON.stringify({
      model: `nightshift/${forced}`,
      provider: {
        nightshift: {
          npm: "@ai-sdk/openai-compatible",
          options: { baseURL: `${url}/v1`, apiKey: token },
          models: { [forced]: {} },
        },
      },
    }),
  }),
};
