/** Promises about the files of sessions with a checkout, their checkpoints, and what is lost with a sandbox. */
import type { SessionEvent } from "../../../src/core/events/index.ts";
import type { Files } from "../checkouts.ts";
import type { Invariant } from "../judge.ts";
import { serviceOf } from "../sandbox.ts";

/** A checkpoint in the log can be restored, and holds the files as they were when it was made: they stood still. */
export function aCheckpointHoldsTheFiles(): Invariant {
  return {
    promise: "a-checkpoint-holds-the-files",
    onEvent: ({ log, event, checkouts }) => {
      if (event.type !== "checkpoint.created") return null;
      const { number, commit } = event.body;
      if (checkouts.checkpoint(log.session, number) !== commit)
        return `checkpoint ${number} is in the log, and its ref is not ${commit}`;
      const kept = checkouts.filesOf(commit);
      if (kept === undefined) return `checkpoint ${number} is in the log, and its objects are not there`;
      const { workspace } = checkouts.current(log.session);
      return isSame(kept, workspace.files)
        ? null
        : `checkpoint ${number} holds other files than there are: they have not stood still`;
    },
  };
}

/** A sandbox begins with the files that the intent in the log names. */
export function aSandboxBeginsWithWhatTheLogSays(): Invariant {
  return {
    promise: "a-sandbox-begins-with-what-the-log-says",
    onBegin: ({ log, files, epoch, newestEpoch, checkouts }) => {
      // Whoever has lost the lease does not know the newest intent; what it makes is ended before it is used.
      if (epoch < newestEpoch) return null;
      const intent = log.events.findLast((event) => event.type === "sandbox.requested");
      const restore = intent?.body.restore;
      if (restore === undefined) return null;
      const wanted = checkouts.filesOf(restore.commit);
      return wanted !== undefined && isSame(wanted, files)
        ? null
        : `a sandbox begins with other files than those of checkpoint ${restore.checkpoint}`;
    },
  };
}

/** Whatever a call changed since the checkpoint that a new sandbox begins with, the log says is gone. */
export function lostChangesAreNamed(): Invariant {
  const unsaved = new Map<string, Set<string>>();
  const ready = new Set<string>();
  return {
    promise: "lost-changes-are-named",
    onEffect: ({ log, request }) => {
      if (log.state.workspace === null || serviceOf(request.execId) !== undefined) return null;
      const [, call = ""] = request.execId.split("/");
      const calls = unsaved.get(log.session) ?? new Set();
      unsaved.set(log.session, calls.add(call));
      return null;
    },
    onEvent: ({ log, event }) => {
      const { session } = log;
      const isUnnamed = ready.delete(session) && event.type !== "workspace.restored";
      const calls = unsaved.get(session) ?? new Set();
      if (isUnnamed) return `a sandbox is ready without a word of what ${[...calls].join(", ")} changed`;
      if (event.type === "sandbox.ready" && log.state.workspace !== null && calls.size > 0)
        ready.add(session);
      if (!SETTLED.has(event.type)) return null;
      unsaved.delete(session);
      return event.type === "workspace.restored" ? unnamed(event, calls) : null;
    },
  };
}

const NAMED_MAX = 20;

const SETTLED: ReadonlySet<string> = new Set([
  "checkpoint.created",
  "workspace.restored",
  "workspace.rewound",
]);

function unnamed({ body }: SessionEvent<"workspace.restored">, calls: ReadonlySet<string>): string | null {
  const named = new Set(body.lost.map(({ call }) => call));
  const missing = [...calls].filter((call) => !named.has(call));
  // Of very many, only the number is told.
  if (missing.length === 0 || named.size >= NAMED_MAX) return null;
  return `what ${missing.join(", ")} changed is gone, and the log does not say so`;
}

function isSame(one: Files, other: Files): boolean {
  return one.size === other.size && [...one].every(([path, text]) => other.get(path) === text);
}
