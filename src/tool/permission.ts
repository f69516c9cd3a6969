/**
 * Which calls a person has to allow first. A rule is `irreversible`, a tool, or a tool with a pattern in which `*`
 * stands for anything: `bash:git push*`, `write:deploy/*`. Of a command text each program counts that it runs, however
 * it is wrapped. It is a net, not a wall: an agent can write a program that does the same. What must not be
 * possible has to be out of the sandbox's reach.
 */
import type { Json } from "../core/text.ts";
import type { Effect } from "./contract.ts";
import { hasParts, runsProgram } from "./irreversible.ts";

/** A call as rules look at it. */
export interface AskedCall {
  readonly name: string;
  readonly input: Json;
  readonly effect: Effect;
}

const RULE = /^(irreversible|[a-z][a-z0-9_]{0,63}(:.{1,200})?)$/;

/** The first text that is no rule; undefined when all are. @param tools - names of those there are */
export function wrongRule(rules: readonly string[], tools: readonly string[]): string | undefined {
  return rules.find((rule) => {
    const [tool = ""] = rule.split(":");
    return !RULE.test(rule) || (rule !== "irreversible" && !tools.includes(tool));
  });
}

/** Does some rule say that a person has to allow it? */
export function needsApproval(rules: readonly string[], call: AskedCall): boolean {
  return rules.some((rule) => {
    if (rule === "irreversible") return call.effect === "irreversible";
    const at = rule.indexOf(":");
    if (at === -1) return rule === call.name;
    return rule.slice(0, at) === call.name && matches(rule.slice(at + 1), call.input);
  });
}

function matches(pattern: string, input: Json): boolean {
  if (typeof input !== "object" || input === null || Array.isArray(input)) return true;
  const { command, path } = input as { readonly [key: string]: Json | undefined };
  const glob = globOf(pattern);
  if (typeof command === "string")
    return glob.test(command) || runsProgram(command, (words) => isMeant(pattern, glob, words));
  if (typeof path === "string") return glob.test(path.replace(/^(\.\/)+/, "")) || glob.test(path);
  // What no pattern can be held against is asked about.
  return true;
}

/** Options between a program and its subcommand do not make it another one. */
function isMeant(pattern: string, glob: RegExp, words: readonly string[]): boolean {
  if (glob.test(words.join(" "))) return true;
  const [program, ...parts] = pattern.replace(/\*+$/, "").trim().split(/\s+/);
  if (pattern.slice(0, -1).includes("*")) return false;
  return program === words[0] && parts.length > 0 && hasParts(words.slice(1), parts);
}

function globOf(pattern: string): RegExp {
  const source = pattern.split("*").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${source.join("[^]*")}$`);
}
