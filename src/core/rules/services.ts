/**
 * The services of the contract, which run beside the agent's commands as they do beside the checks: asked for once in
 * each life of a sandbox, awaited by the first command, and never a reason to stop.
 */
import { servicesHash } from "../contract/contract.ts";
import { assert } from "../errors.ts";
import { type EventInput, event } from "../events/index.ts";
import type { SessionState } from "../state.ts";
import { append, type Step } from "../step.ts";
import { isSavable } from "./checkpoint.ts";

/** The intent to start them, when it is due; nothing is asked for while they run or have failed. */
export function servicesDue(state: SessionState): EventInput<"sandbox.services_requested"> | null {
  const { sandbox } = state;
  if (sandbox?.status !== "ready" || sandbox.services !== null) return null;
  const services = servicesHash(state.contract?.contract.services);
  if (services === null) return null;
  const { id, incarnation } = sandbox;
  return event("sandbox.services_requested", { sandbox: id, incarnation, services });
}

/** Asks for them. */
export function serving(state: SessionState): Step {
  const request = servicesDue(state);
  assert(request !== null, "services are asked for when they are due");
  return append(request);
}

/** Are they being started? */
export function areServicesStarting({ sandbox }: SessionState): boolean {
  return sandbox?.status === "ready" && sandbox.services?.status === "starting";
}

/** Do those of another contract run there, and can the work be saved before the sandbox is replaced? */
export function hasOtherServices(state: SessionState): boolean {
  const { sandbox } = state;
  if (sandbox?.status !== "ready" || sandbox.services === null || !isSavable(state)) return false;
  return sandbox.services.status === "outdated";
}
