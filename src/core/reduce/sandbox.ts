/** Facts about the sandbox. */
import type { SessionEvent } from "../events/index.ts";
import type { SandboxId } from "../ids.ts";
import type { SandboxState, SessionState } from "../state.ts";

/** Notes `sandbox.*`. */
export function reduceSandbox(state: SessionState, event: SessionEvent): SessionState {
  const { sandbox } = state;
  switch (event.type) {
    case "sandbox.requested": {
      const known = sandbox?.id === event.body.sandbox ? sandbox : null;
      return {
        ...state,
        sandboxes: known === null ? state.sandboxes + 1 : state.sandboxes,
        sandbox: {
          id: event.body.sandbox as SandboxId,
          backend: event.body.backend,
          status: "requested",
          incarnation: "",
          handle: known?.handle ?? null,
          environment: event.body.environment ?? null,
          services: null,
          failures: known?.failures ?? 0,
          failureCode: known?.failureCode ?? "",
          resumeAt: null,
          decidedAt: 0,
        },
      };
    }
    case "sandbox.ready":
      if (sandbox?.id !== event.body.sandbox || sandbox.status !== "requested") return state;
      return {
        ...state,
        sandbox: {
          ...sandbox,
          status: "ready",
          incarnation: event.body.incarnation,
          handle: event.body.handle,
        },
      };
    case "sandbox.lost":
      if (sandbox?.id !== event.body.sandbox || !isNews(sandbox, event.body.incarnation)) return state;
      return {
        ...state,
        sandbox: { ...sandbox, status: "lost", failures: sandbox.failures + 1, failureCode: event.body.code },
      };
    case "sandbox.rescheduled": {
      if (sandbox?.id !== event.body.sandbox || sandbox.status !== "lost") return state;
      const { resume_at, decided_at } = event.body;
      return { ...state, sandbox: { ...sandbox, resumeAt: resume_at, decidedAt: decided_at } };
    }
    case "sandbox.services_requested": {
      const { services: hash } = event.body;
      return isOf(sandbox, event.body)
        ? { ...state, sandbox: { ...sandbox, services: { hash, status: "starting" } } }
        : state;
    }
    case "sandbox.services_ready":
      return withServices(state, event.body, "ready");
    case "sandbox.services_failed":
      return withServices(state, event.body, "failed");
    case "sandbox.destroy_requested":
      return sandbox?.id === event.body.sandbox
        ? { ...state, sandbox: { ...sandbox, status: "ending" } }
        : state;
    case "sandbox.destroyed":
      return sandbox?.id === event.body.sandbox ? { ...state, sandbox: null } : state;
    default:
      return state;
  }
}

interface Incarnation {
  readonly sandbox: string;
  readonly incarnation: string;
}

/** What is said of an incarnation that is gone is no news. */
function isOf(sandbox: SandboxState | null, about: Incarnation): sandbox is SandboxState {
  return (
    sandbox?.status === "ready" && sandbox.id === about.sandbox && sandbox.incarnation === about.incarnation
  );
}

/** One that was ready may fail, but not the other way round; of those that are outdated nothing is news. */
function withServices(state: SessionState, about: Incarnation, status: "ready" | "failed"): SessionState {
  const { sandbox } = state;
  if (!isOf(sandbox, about) || sandbox.services === null) return state;
  if (sandbox.services.status === "failed" || sandbox.services.status === "outdated") return state;
  return { ...state, sandbox: { ...sandbox, services: { ...sandbox.services, status } } };
}

/** Several calls may notice one death, some of them late, when the sandbox is being made again or lives again. */
function isNews(sandbox: SandboxState, incarnation: string | undefined): boolean {
  if (sandbox.status !== "requested" && sandbox.status !== "ready") return false;
  return incarnation === undefined || (sandbox.status === "ready" && sandbox.incarnation === incarnation);
}
