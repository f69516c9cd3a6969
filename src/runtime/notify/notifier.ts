/** The ways to people who are away: a web hook, or a program. */
import { spawn } from "node:child_process";
import type { Clock } from "../../core/clock.ts";
import { messageOf } from "../../core/errors.ts";
import type { Environment } from "../config.ts";
import type { Delivery, Notification, Notifier, TargetConfig } from "./contract.ts";
import { keyOf, sign } from "./standard-webhooks.ts";

/** Before each try after the first. */
const PAUSES_MS = [1000, 2000, 4000];
const TRY_MS = 5000;
const PAYLOAD_VERSION = 1;

/** What one try came to; `isFinal`: another one would come to the same. */
interface Try {
  readonly isDelivered: boolean;
  readonly isFinal: boolean;
  readonly detail: string;
}

/** @param environment - where secrets of web hooks are found, and what programs are given */
export function createNotifier(
  configs: readonly TargetConfig[],
  parts: { readonly clock: Clock; readonly environment: Environment },
): Notifier {
  const byName = new Map(configs.map((config) => [config.name, config]));
  return {
    targets: configs.map(({ name, on }) => ({ name, kinds: on })),
    send: async (name, notification, signal) => {
      const config = byName.get(name);
      if (config === undefined) return { isDelivered: false, tries: 0, detail: "no such target" };
      return await deliver(parts, notification, signal, (each, limit) =>
        config.command === undefined
          ? post(parts, config, each, limit)
          : execute(parts.environment, config.command, each, limit),
      );
    },
  };
}

async function deliver(
  { clock }: { readonly clock: Clock },
  notification: Notification,
  signal: AbortSignal,
  attempt: (notification: Notification, signal: AbortSignal) => Promise<Try>,
): Promise<Delivery> {
  for (let tries = 1; ; tries++) {
    const end = new AbortController();
    const stop = (): void => end.abort(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
    const limit = clock
      .sleep(TRY_MS, end.signal)
      .then(
        (): Try => ({ isDelivered: false, isFinal: false, detail: `no answer within ${TRY_MS / 1000} s` }),
      );
    limit.catch(() => undefined);
    const result = await Promise.race([attempt(notification, end.signal), limit]).finally(() => {
      signal.removeEventListener("abort", stop);
      end.abort(null);
    });
    signal.throwIfAborted();
    const pause = PAUSES_MS[tries - 1];
    if (result.isDelivered || result.isFinal || pause === undefined)
      return { isDelivered: result.isDelivered, tries, detail: result.detail };
    await clock.sleep(pause, signal);
  }
}

function payloadOf({ kind, at, data }: Notification): string {
  return JSON.stringify({
    type: `session.${kind}`,
    timestamp: new Date(at).toISOString(),
    data: { v: PAYLOAD_VERSION, ...data },
  });
}

async function post(
  { clock, environment }: { readonly clock: Clock; readonly environment: Environment },
  { webhook = "", secret_variable: variable = "" }: TargetConfig,
  notification: Notification,
  signal: AbortSignal,
): Promise<Try> {
  const key = keyOf(environment[variable] ?? "");
  if (key === undefined) return final(`the environment variable ${variable} holds no secret of a web hook`);
  const payload = payloadOf(notification);
  try {
    const response = await fetch(webhook, {
      method: "POST",
      headers: { "content-type": "application/json", ...sign(key, notification.id, clock.wallMs(), payload) },
      body: payload,
      redirect: "manual",
      signal,
    });
    await response.body?.cancel();
    const { status } = response;
    if (response.ok) return { isDelivered: true, isFinal: true, detail: `${status}` };
    return { isDelivered: false, isFinal: !isPassing(status), detail: `${status}` };
  } catch (error) {
    // The message of a failed connection names the address, which may hold a secret; its code does not.
    const code = (error as { readonly cause?: { readonly code?: unknown } }).cause?.code;
    return { isDelivered: false, isFinal: false, detail: typeof code === "string" ? code : "no connection" };
  }
}

/** May another try come to something else? */
function isPassing(status: number): boolean {
  return status === 408 || status === 425 || status === 429 || status >= 500;
}

function final(detail: string): Try {
  return { isDelivered: false, isFinal: true, detail };
}

/** What programs that show something need; nothing that could be a key. */
const VARIABLES = [
  "PATH",
  "HOME",
  "USER",
  "LOGNAME",
  "LANG",
  "TZ",
  "DISPLAY",
  "WAYLAND_DISPLAY",
  "XDG_RUNTIME_DIR",
  "DBUS_SESSION_BUS_ADDRESS",
];

function execute(
  environment: Environment,
  [program = "", ...words]: readonly string[],
  notification: Notification,
  signal: AbortSignal,
): Promise<Try> {
  const env = Object.fromEntries(
    VARIABLES.flatMap((name) => (environment[name] === undefined ? [] : [[name, environment[name]]])),
  );
  return new Promise((resolve) => {
    const child = spawn(program, words, { env, stdio: ["pipe", "ignore", "ignore"], detached: true });
    // The whole group, so that nothing of it outlives its time.
    const kill = (): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
      } catch {
        // It has ended by itself.
      }
    };
    signal.addEventListener("abort", kill, { once: true });
    child.once("error", (error) => resolve(final(messageOf(error).slice(0, 200))));
    child.once("close", (code, by) => {
      signal.removeEventListener("abort", kill);
      const isDelivered = code === 0;
      resolve({ isDelivered, isFinal: isDelivered, detail: by === null ? `exit ${code}` : `ended by ${by}` });
    });
    child.stdin.on("error", () => undefined);
    child.stdin.end(`${JSON.stringify({ id: notification.id, ...JSON.parse(payloadOf(notification)) })}\n`);
  });
}
