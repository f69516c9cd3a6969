/** Ways to cheat, all of them but those that take a whole session. */
import type { HostileCase } from "../case.ts";
import { judgeCases } from "./judges.ts";
import { packageCases } from "./lockfiles.ts";
import { otherCases } from "./rest.ts";
import { runnerCases } from "./runners.ts";
import { shimCases } from "./shims.ts";
import { testCases } from "./tests.ts";
import { treeCases } from "./trees.ts";

/** Each of them has to be caught by a gate that carries weight. */
export const hostileCases: readonly HostileCase[] = [
  ...[...testCases, ...runnerCases, ...shimCases, ...treeCases],
  ...[...packageCases, ...otherCases, ...judgeCases],
];
