/** A call needs a sandbox, and there is none that is ready. Tries wait on the record, as those of the model do. */
import { type EventInput, event } from "../events/index.ts";
import { sandboxId } from "../ids.ts";
import type { SandboxState, SessionState } from "../state.ts";
import { append, type Intent, inFlight, type Now, perform, type Step } from "../step.ts";
import { checkpointAtRest, isCheckpointing, restoring } from "./checkpoint.ts";
import { lacksLayer, wantedLayer } from "./environment.ts";
import { isRetryDue, jittered, waitUntil } from "./retry.ts";
import { areServicesStarting, hasOtherServices, servicesDue } from "./services.ts";

/** Times in a row that a sandbox may fail before the session gives up. */
const FAILURES_MAX = 3;
const BACKOFF_FIRST_MS = 2000;
const BACKOFF_FACTOR = 5;

/** May a run begin now? */
export function canRun(state: SessionState): boolean {
  if (state.sandbox?.status !== "ready" || isCheckpointing(state) || isOutdated(state)) return false;
  return servicesDue(state) === null && !areServicesStarting(state);
}

/** Only another sandbox can have what is wanted by now. */
function isOutdated(state: SessionState): boolean {
  return lacksLayer(state) || hasOtherServices(state);
}

/** @param beside - what runs meanwhile */
export function sandboxWanted(state: SessionState, now: Now, beside: readonly Intent[]): Step {
  const { sandbox } = state;
  // Runs wait for the end of a checkpoint, and so do new files.
  if (isCheckpointing(state) || sandbox?.status === "requested" || sandbox?.status === "ending")
    return perform([...inFlight(state), ...beside]);
  if (sandbox?.status === "ready") {
    if (isOutdated(state)) return replace(state, sandbox, beside);
    const services = servicesDue(state);
    return services === null ? perform([...inFlight(state), ...beside]) : append(services);
  }
  if (sandbox?.status === "lost" && sandbox.failures >= FAILURES_MAX) {
    return append(
      event("session.status_idle", { stop_reason: { type: "failed", code: sandbox.failureCode } }),
    );
  }
  if (sandbox?.status === "lost" && mustWait(sandbox)) {
    if (sandbox.resumeAt === null) return append(backOff(state, sandbox, now));
    if (!isRetryDue(sandbox, now.at)) return waitUntil(state, sandbox.resumeAt, now);
  }
  return append(requestSandbox(state, sandbox?.id ?? sandboxId(state.sessionId, state.sandboxes)));
}

/** Its files go on in another sandbox; what runs may finish, and its work is saved. */
function replace(state: SessionState, sandbox: SandboxState, beside: readonly Intent[]): Step {
  if (state.calls.some((call) => call.status === "started")) return perform([...inFlight(state), ...beside]);
  const checkpoint = checkpointAtRest(state);
  if (checkpoint.length > 0) return append(...checkpoint);
  return append(event("sandbox.destroy_requested", { sandbox: sandbox.id }));
}

/** The intent to make it, with the files that it begins with. */
export function requestSandbox(state: SessionState, sandbox: string): EventInput {
  const backend = state.config?.sandbox.backend ?? "";
  const environment = wantedLayer(state);
  return event("sandbox.requested", {
    sandbox,
    backend,
    ...restoring(state),
    ...(environment !== null && { environment }),
  });
}

/** One that was ready and died is made again at once, the first time: what killed it may well be over. */
function mustWait({ failures, incarnation }: SandboxState): boolean {
  return failures > 1 || (failures === 1 && incarnation === "");
}

function backOff(
  state: SessionState,
  sandbox: SandboxState,
  now: Now,
): ReturnType<typeof event<"sandbox.rescheduled">> {
  const delayMs = jittered(state, BACKOFF_FIRST_MS * BACKOFF_FACTOR ** (sandbox.failures - 1));
  return event("sandbox.rescheduled", {
    sandbox: sandbox.id,
    resume_at: Math.round(now.at + delayMs),
    decided_at: now.at,
    failures: sandbox.failures,
  });
}
