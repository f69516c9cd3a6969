/** What commands in a pod see of the world outside: next to nothing. */
import type { SandboxSpec } from "../contract.ts";
import { type Environment, FIXED_ENVIRONMENT } from "../daemon/environment.ts";
import { egressEnvironment } from "../egress-shim.ts";

/** Where a pod's user lives; a temporary file system. */
export const INNER_HOME = "/home/nightshift";

/** Languages and time zone are the person's; everything else is the pod's own. */
const PASSED = /^(LANG|LC_[A-Z]+|TZ)$/;

/** The environment of commands in a pod. */
export function podEnvironment(
  outer: Readonly<Record<string, string | undefined>>,
  spec: SandboxSpec,
): Environment {
  const passed: Record<string, string> = {};
  for (const [name, value] of Object.entries(outer)) {
    if (PASSED.test(name) && value !== undefined) passed[name] = value;
  }
  return {
    LANG: "C.UTF-8",
    ...passed,
    PATH: "/usr/local/bin:/usr/bin:/bin",
    HOME: INNER_HOME,
    USER: "nightshift",
    LOGNAME: "nightshift",
    SHELL: "/bin/sh",
    TMPDIR: "/tmp",
    ...FIXED_ENVIRONMENT,
    ...(spec.egress === undefined ? {} : egressEnvironment()),
    ...spec.environment,
  };
}
