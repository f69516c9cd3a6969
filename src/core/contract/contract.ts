/** The contract as data, with the names its parts have in code. All of it is what the log holds. */
import { hash } from "node:crypto";
import type { EventBody } from "../events/index.ts";
import { canonicalJson } from "./canonical.ts";

/** The external done-condition: goal, constraints, criteria, protected paths. */
export type Contract = EventBody<"contract.sealed">["contract"];
/** One item of it. */
export type Criterion = Contract["criteria"][number];
/** The command that tells whether a criterion is met. */
export type Check = NonNullable<Criterion["check"]>;
/** A program that runs while checks do. */
export type Service = Contract["services"][number];
/** Per criterion, in a verdict. */
export type CriterionStatus = EventBody<"verdict.given">["criteria"][number]["status"];
/** How much a verdict shows, from the weakest to the strongest. */
export type Strength = NonNullable<EventBody<"verdict.given">["criteria"][number]["strength"]>;
/** Something in a candidate that a gate has to say about. */
export type Finding = EventBody<"referee.composed">["findings"][number];
/** What one run of a check came to. */
export type CheckRun = EventBody<"referee.checked">["run"];

/** Limits of a contract's JSON, so that it stays readable and its fold small. */
export const CONTRACT_BYTES_MAX = 512 * 1024;

/** What a contract has unless somebody says something else. */
export const CONTRACT_DEFAULTS: Pick<
  Contract,
  "constraints" | "protect" | "protection" | "setup" | "services" | "deps" | "limits"
> = {
  constraints: [],
  protect: [],
  protection: "additive",
  setup: [],
  services: [],
  deps: "ask",
  limits: { verdicts: 20 },
};

/** Tells one list of services from another: SHA-256 in hex; null for none. */
export function servicesHash(services: readonly Service[] = []): string | null {
  if (services.length === 0) return null;
  return hash("sha256", canonicalJson(services), "hex");
}

/** The seal: SHA-256 in hex over the canonical JSON. */
export function contractHash(contract: Contract): string {
  return hash("sha256", canonicalJson(contract), "hex");
}
