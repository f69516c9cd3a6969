/**
 * Where a fault can strike and which faults there are. A point is the moment just before a call leaves a process or
 * just before its reply comes in; a pair is a fault at a point. Pairs that cannot happen are named with the reason.
 */

/** What crosses the border of a process. */
interface Operation {
  readonly by: "harness" | "client";
  readonly seam: "store" | "sandbox" | "referee" | "model" | "people" | "clock";
  /** Does it change anything on the other side? */
  readonly changes: boolean;
  readonly moments: readonly ("before" | "after")[];
}

const BOTH = ["before", "after"] as const;

function of(by: Operation["by"], seam: Operation["seam"], changes: boolean): Operation {
  return { by, seam, changes, moments: BOTH };
}

/** Every operation by name. */
export const OPERATIONS = {
  claim: of("harness", "store", true),
  snapshot: of("harness", "store", false),
  read: of("harness", "store", false),
  session: of("harness", "store", false),
  append: of("harness", "store", true),
  renew: of("harness", "store", true),
  release: of("harness", "store", true),
  due: of("harness", "store", false),
  hint: { by: "harness", seam: "store", changes: false, moments: ["after"] },
  create: of("client", "store", true),
  submit: of("client", "store", true),
  answer: of("client", "store", true),
  provision: of("harness", "sandbox", true),
  attach: of("harness", "sandbox", true),
  execute: of("harness", "sandbox", true),
  prepare: of("harness", "sandbox", false),
  cancel: of("harness", "sandbox", true),
  destroy: of("harness", "sandbox", true),
  preflight: of("harness", "referee", false),
  check: of("harness", "referee", false),
  notify: of("harness", "people", true),
  request: { by: "harness", seam: "model", changes: true, moments: ["before"] },
  part: { by: "harness", seam: "model", changes: true, moments: ["after"] },
  timer: { by: "harness", seam: "clock", changes: false, moments: ["after"] },
} as const satisfies Record<string, Operation>;

/** A call, reply or event at the border of a process. */
export type OperationName = keyof typeof OPERATIONS;
/** A moment at which faults strike. */
export type Point = `${OperationName}.${"before" | "after"}`;

/** Every fault and what it does. */
export const FAULTS = {
  crash: "the process dies; the files are copied at this instant and the copy is opened",
  stop: "the process stands still until its lease has lapsed, then goes on as a zombie",
  compete: "another harness is told to wake the same session",
  message: "a person sends a message",
  control:
    "a person interrupts, pauses, stops, cancels, resumes, confirms, answers, sets limits or speaks of the contract",
  "daemon-dies": "the exec daemon is killed with all it runs; its journal survives",
  "daemon-forgets": "the exec daemon is killed and its journal is lost; the workspace survives",
  "clock-forward": "the calendar clock jumps forward",
  "clock-back": "the calendar clock jumps back",
  suspend: "the machine sleeps: boot and calendar clock jump, the monotonic clock stands still",
  refuse: "the call fails without having had an effect",
  "lose-reply": "the call takes effect, then fails with an error that may be retried",
  "no-reply": "the call takes effect, and its reply never comes",
  slow: "the reply takes long",
  "commit-fails": "an I/O error in COMMIT, which did not take effect",
  "commit-unknown": "an I/O error in COMMIT, which did take effect",
  "disk-full": "the disk is full for a few writes",
} as const;

/** The name of a fault. */
export type Fault = keyof typeof FAULTS;
/** A fault at a point. */
export type Pair = `${Fault}@${Point}`;

const ON_CALLS: ReadonlySet<Fault> = new Set(["refuse", "commit-fails", "commit-unknown", "disk-full"]);
const ON_REPLIES: ReadonlySet<Fault> = new Set(["lose-reply", "no-reply", "slow"]);
const ON_COMMITS: ReadonlySet<Fault> = new Set(["commit-fails", "commit-unknown", "disk-full"]);
const NOT_CALLS: ReadonlySet<OperationName> = new Set(["hint", "timer"]);
const NO_SESSION: ReadonlySet<Fault> = new Set(["message", "control", "compete"]);
const DAEMON: ReadonlySet<Fault> = new Set(["daemon-dies", "daemon-forgets"]);

/** Why this pair cannot happen; null when it can. */
export function reasonExcluded(fault: Fault, name: OperationName, moment: "before" | "after"): string | null {
  const operation: Operation = OPERATIONS[name];
  if (ON_CALLS.has(fault) && moment === "after") return "it strikes on the way to the other side";
  if (ON_REPLIES.has(fault) && moment === "before") return "it strikes on the way back";
  if ((ON_CALLS.has(fault) || ON_REPLIES.has(fault)) && NOT_CALLS.has(name))
    return "a timer or hint is no call, so it can neither fail nor be answered";
  if (ON_COMMITS.has(fault) && !(operation.seam === "store" && operation.changes))
    return "only calls that write to the store commit";
  if (fault === "no-reply" && operation.seam === "store")
    return "the store runs inside the process: if it hangs the process hangs, which is the fault stop";
  if (fault === "lose-reply" && !operation.changes)
    return "it has no effect on the other side, so losing its reply equals refusing it";
  if (fault === "stop" && operation.by === "client")
    return "a client holds no lease, so standing still only makes it slow";
  if (NO_SESSION.has(fault) && name === "create" && moment === "before")
    return "there is no session yet to send to or to wake";
  if (DAEMON.has(fault) && name === "create") return "a new session has no sandbox yet";
  if (DAEMON.has(fault) && name === "destroy" && moment === "after") return "the daemon has just been ended";
  return null;
}

/** All points. */
export const POINTS: readonly Point[] = names(OPERATIONS).flatMap((name) =>
  OPERATIONS[name].moments.map((moment): Point => `${name}.${moment}`),
);

/** The faults that can strike at each point. */
export const FAULTS_AT: ReadonlyMap<Point, readonly Fault[]> = new Map(
  POINTS.map((point) => {
    const [name, moment] = point.split(".") as [OperationName, "before" | "after"];
    return [point, names(FAULTS).filter((fault) => reasonExcluded(fault, name, moment) === null)];
  }),
);

/** Every pair that can happen. */
export const PAIRS: readonly Pair[] = POINTS.flatMap((point) =>
  (FAULTS_AT.get(point) ?? []).map((fault): Pair => `${fault}@${point}`),
);

/** Every pair that cannot happen, with the reason. */
export const EXCLUDED_PAIRS: readonly { readonly pair: Pair; readonly reason: string }[] = POINTS.flatMap(
  (point) => {
    const [name, moment] = point.split(".") as [OperationName, "before" | "after"];
    return names(FAULTS).flatMap((fault) => {
      const reason = reasonExcluded(fault, name, moment);
      return reason === null ? [] : [{ pair: `${fault}@${point}` as Pair, reason }];
    });
  },
);

function names<K extends string>(table: Readonly<Record<K, unknown>>): K[] {
  return Object.keys(table) as K[];
}

/** Points that every seed passes so often that faults strike there without being aimed at them. */
const BUSY: ReadonlySet<OperationName> = new Set([
  "due",
  "hint",
  "part",
  "append",
  "read",
  "timer",
  "request",
  "claim",
  "snapshot",
  "renew",
  "submit",
  "provision",
]);
/** The others by how rarely they are passed. */
const RARE: Readonly<Partial<Record<OperationName, number>>> = {
  session: 2,
  execute: 3,
  destroy: 5,
  prepare: 7,
  cancel: 12,
  preflight: 5,
  check: 3,
  answer: 3,
  notify: 4,
};
/** How rarely a daemon lives when a point is passed. */
const RARELY_ALIVE: Readonly<Partial<Record<OperationName, number>>> = {
  claim: 9,
  snapshot: 9,
  hint: 6,
  release: 16,
  session: 14,
  submit: 15,
  answer: 9,
  notify: 4,
  request: 7,
  due: 7,
  part: 5,
  timer: 6,
  read: 6,
  renew: 5,
  append: 2,
  attach: 2,
  execute: 3,
  prepare: 4,
  cancel: 7,
  destroy: 16,
  preflight: 22,
  check: 17,
};
/** To make a sandbox while it lives is rarer than to have just made it. */
const PROVISION_ALIVE = { before: 10, after: 2 } as const;

function weightOf(pair: Pair): number {
  const [fault, name, moment] = pair.split(/[@.]/) as [Fault, OperationName, "before" | "after"];
  const rarity = BUSY.has(name) ? 0 : (RARE[name] ?? 1);
  // What a person does may well keep the session from doing the same thing once more.
  if (!DAEMON.has(fault)) return fault === "control" ? Math.ceil(rarity * 1.5) : rarity;
  return name === "provision" ? PROVISION_ALIVE[moment] : (RARELY_ALIVE[name] ?? 4);
}

/**
 * What seeds aim at, one after the other: what is rarer comes more often, and each pair at even distances, so that
 * any run of seeds meets all of them about alike.
 */
const TARGETS: readonly Pair[] = PAIRS.flatMap((pair, index) => {
  const weight = weightOf(pair);
  const shift = (index * 0.618_034) % 1;
  return Array.from({ length: weight }, (_, turn) => ({ pair, at: (turn + shift) / weight }));
})
  .sort((one, other) => one.at - other.at)
  .map(({ pair }) => pair);

/** What a seed aims at; few seeds are calm and do without. */
export function targetOf(seed: number): Pair {
  return TARGETS[seed % TARGETS.length] as Pair;
}
