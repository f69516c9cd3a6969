/**
 * The environment of the daemon and of what it runs: a list of names that may pass, so that no key of the
 * harness ever reaches a command.
 */
import { MARKER_VARIABLE } from "./kill.ts";

const PASSED: readonly string[] = ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "TZ", "TMPDIR"];

/** What holds for commands everywhere. */
export const FIXED_ENVIRONMENT: Readonly<Record<string, string>> = {
  TERM: "dumb",
  // Nobody can page or type a password here.
  PAGER: "cat",
  GIT_PAGER: "cat",
  GIT_TERMINAL_PROMPT: "0",
};

/** A plain set of variables. */
export type Environment = Readonly<Record<string, string>>;

/** What of the harness's environment may be seen inside. */
export function cleanEnvironment(source: Readonly<Record<string, string | undefined>>): Environment {
  const clean: Record<string, string> = {};
  for (const [name, value] of Object.entries(source)) {
    // A sandbox inside another one's command carries the outer marker too, so that the outer kill reaches it.
    const passes = PASSED.includes(name) || name.startsWith("LC_") || name === MARKER_VARIABLE;
    if (passes && value !== undefined) clean[name] = value;
  }
  clean["PATH"] ??= "/usr/local/bin:/usr/bin:/bin";
  return { ...clean, ...FIXED_ENVIRONMENT };
}

/** The environment with one more marker. */
export function withMarker(environment: Environment, marker: string): Environment {
  const outer = environment[MARKER_VARIABLE];
  return { ...environment, [MARKER_VARIABLE]: outer === undefined ? marker : `${outer}:${marker}` };
}
