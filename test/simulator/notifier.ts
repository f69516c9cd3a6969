/** The way to a person who is away, as one process has it: each try may be lost, or never be answered. */
import { asSessionId, type SessionId } from "../../src/core/ids.ts";
import type { Notification, Notifier } from "../../src/runtime/notify/contract.ts";
import type { Process } from "./process.ts";

/** Sees what arrives. */
export interface NoticeWatch {
  onTold(session: SessionId, target: string, notification: Notification): void;
}

/** The one who is told. */
export const TARGET = "phone";
const TRIES_MAX = 3;
const TRY_MS = 5000;

class Unanswered extends Error {}
const lost = (): Unanswered => new Unanswered("nobody answers");
const ERRORS = { refused: lost, lost };

/** Everybody is told of everything. */
export function createSimulatedNotifier(process: Process, watch: NoticeWatch): Notifier {
  return {
    targets: [{ name: TARGET, kinds: ["done", "blocked", "budget", "stall"] }],
    send: async (target, notification, signal) => {
      const session = asSessionId(String(notification.data.session_id));
      const arrive = async (): Promise<void> => watch.onTold(session, target, notification);
      for (let tries = 1; ; tries++) {
        const limit = new AbortController();
        void process.pause(TRY_MS).then(() => limit.abort(lost()));
        try {
          await process.call("notify", session, arrive, ERRORS, AbortSignal.any([signal, limit.signal]));
          return { isDelivered: true, tries, detail: "" };
        } catch (error) {
          signal.throwIfAborted();
          if (!(error instanceof Unanswered)) throw error;
          if (tries === TRIES_MAX) return { isDelivered: false, tries, detail: error.message };
          await process.pause(1000);
        }
      }
    },
  };
}
