/** Who is killed, while what is done, in which sandbox: every combination, with what has to hold or why there is none. */

/** Sandboxes. */
export const BACKENDS = ["process", "bubblewrap", "docker"] as const;
/** One of them. */
export type CrashBackend = (typeof BACKENDS)[number];

/** Who can be killed. */
export const VICTIMS = ["harness", "daemon", "pod", "proxy", "engine"] as const;
/** One of them. */
export type CrashVictim = (typeof VICTIMS)[number];

/** What is going on in that moment. Every step stands still until the kill has happened. */
export const STEPS = [
  "provision",
  "provision: pod",
  "exec",
  "checkpoint",
  "restore",
  "destroy",
  "layer: fetch",
  "layer: build",
] as const;
/** One of them. */
export type CrashStep = (typeof STEPS)[number];

/** One combination that can be. */
export interface Cell {
  readonly backend: CrashBackend;
  readonly step: CrashStep;
  readonly victim: CrashVictim;
}

/** What people call them. */
const WORDS: { readonly [step in CrashStep]: string } = {
  provision: "provision, before the pod",
  "provision: pod": "provision, with the pod",
  exec: "exec",
  checkpoint: "checkpoint",
  restore: "restore",
  destroy: "destroy",
  "layer: fetch": "layer: fetch",
  "layer: build": "layer: build",
};

const LETTERS: { readonly [backend in CrashBackend]: string } = {
  process: "P",
  bubblewrap: "B",
  docker: "D",
};

/** Why a combination cannot be; undefined when it can. */
export function reasonAgainst({ backend, step, victim }: Cell): string | undefined {
  if (backend === "process") {
    if (victim === "pod" || victim === "proxy" || step === "provision: pod")
      return "the sandbox `process` has neither pod nor proxy";
    if (step === "layer: fetch" || step === "layer: build") return "the sandbox `process` gets no layers";
  }
  if (victim === "engine" && backend !== "docker") return "only `docker` has an engine";
  if (step === "provision" && victim === "pod") return "there is no pod yet";
  if (step === "restore" && (victim === "daemon" || victim === "pod"))
    return "files are restored when daemon and pod are gone";
  if (step === "layer: build" && victim === "proxy") return "nothing is reached while a layer is built";
  return undefined;
}

/** All that can be. */
export function allCells(): Cell[] {
  const every = BACKENDS.flatMap((backend) =>
    STEPS.flatMap((step) => VICTIMS.map((victim) => ({ backend, step, victim }))),
  );
  return every.filter((cell) => reasonAgainst(cell) === undefined);
}

/** Does the sandbox outlive this? Then not even the log may say that it was lost. */
export function keepsSandbox({ step, victim }: Cell): boolean {
  const isUsed = step === "exec" || step === "checkpoint";
  return isUsed && (victim === "harness" || victim === "proxy" || victim === "engine");
}

/** The matrix as the documentation shows it. */
export function matrixTable(): string {
  const cells = allCells();
  const lettersOf = (step: CrashStep, victim: CrashVictim): string => {
    const found = cells.filter((cell) => cell.step === step && cell.victim === victim);
    return found.map(({ backend }) => LETTERS[backend]).join(" ") || "–";
  };
  const rows = STEPS.map(
    (step) => `| ${WORDS[step]} | ${VICTIMS.map((victim) => lettersOf(step, victim)).join(" | ")} |`,
  );
  return [`| while | ${VICTIMS.join(" | ")} |`, `| --- |${" --- |".repeat(VICTIMS.length)}`, ...rows].join(
    "\n",
  );
}
