/** Chooses the sandbox backend of this machine, and refuses when none isolates. */
import { NightshiftError } from "../../core/errors.ts";
import { diagnoseBubblewrap } from "./bubblewrap.ts";
import { type Diagnosis, type DiagnosisHost, ISOLATED_BACKENDS, type IsolatedBackend } from "./contract.ts";
import { diagnoseDocker } from "./docker.ts";

const DIAGNOSES: {
  readonly [backend in IsolatedBackend]: (host: DiagnosisHost) => Promise<Diagnosis>;
} = { bubblewrap: diagnoseBubblewrap, docker: diagnoseDocker };

/** What is to be said of one backend. */
export function diagnose(backend: IsolatedBackend, host: DiagnosisHost): Promise<Diagnosis> {
  return DIAGNOSES[backend](host);
}

/**
 * The first backend that works; without isolation nothing is ever chosen.
 * @throws NightshiftError `E_SANDBOX_UNAVAILABLE` with the reason of each and the one next step
 */
export async function pickBackend(host: DiagnosisHost): Promise<IsolatedBackend> {
  const found: Diagnosis[] = [];
  for (const backend of ISOLATED_BACKENDS) {
    const diagnosis = await diagnose(backend, host);
    if (diagnosis.code === "ready") return backend;
    found.push(diagnosis);
  }
  throw refusal(found);
}

/** The error for a backend, or several, that cannot be used. */
export function refusal(found: readonly Diagnosis[]): NightshiftError {
  const reasons = found.map(({ backend, text }) => `${backend}: ${text}`).join("; ");
  const next = bestFix(found);
  const steps = next === undefined ? [] : [next.fix, ...(next.verbatim ?? [])];
  const otherwise = "Or pass --sandbox process, which isolates nothing.";
  return new NightshiftError("E_SANDBOX_UNAVAILABLE", `no sandbox works here (${reasons})`, {
    hint: steps.length === 0 ? otherwise : steps.join("\n"),
    data: { diagnoses: found },
  });
}

/** An engine that only has to be started, or opened to this user, is nearer than what has to be installed. */
function bestFix(found: readonly Diagnosis[]): Diagnosis | undefined {
  const near = found.find(({ code }) => code === "daemon_down" || code === "no_permission");
  const [first] = found.filter(({ fix }) => fix !== undefined);
  return first?.code === "nested_container" ? (near ?? first) : (first ?? near);
}
