/**
 * One HTTP exchange with a provider, watched: silence, endless answers and the caller's abort all end it, whatever
 * the library above it does. Silence is measured in bytes, so that the pings of a provider count as life.
 */
import type { Clock } from "../../core/clock.ts";
import { messageOf } from "../../core/errors.ts";
import type { ModelFailure, ModelUsage } from "../contract.ts";
import { classOfErrorType, classOfStatus, failureOfResponse, type HeaderMap, NO_USAGE } from "../failure.ts";

/** No answer of a model is longer; one that is, is no answer. */
const ANSWER_BYTES_MAX = 64 * 1024 * 1024;

/** These say that the provider was never reached, hence nothing was used. */
const UNREACHED_CODES: ReadonlySet<string> = new Set([
  "EAI_AGAIN",
  "ECONNREFUSED",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "UND_ERR_CONNECT_TIMEOUT",
]);
const TIMEOUT_CODES: ReadonlySet<string> = new Set(["UND_ERR_BODY_TIMEOUT", "UND_ERR_HEADERS_TIMEOUT"]);

/** How an exchange failed, and what it is known to have used. */
export interface FailedExchange {
  readonly failure: ModelFailure;
  readonly usage: ModelUsage | undefined;
}

/** A single exchange; make one per request and close it in the end. */
export class Connection {
  readonly #clock: Clock;
  readonly #idleMs: number;
  readonly #caller: AbortSignal;
  readonly #controller = new AbortController();
  readonly #aborted: Promise<never>;
  readonly #onAbort = (): void => this.#controller.abort(this.#caller.reason);
  #activeMs: number;
  #bytes = 0;
  #hasHead = false;
  #isSilent = false;

  /** @param idleMs - silence that ends the exchange, before the head and between any two bytes */
  constructor(clock: Clock, idleMs: number, caller: AbortSignal) {
    this.#clock = clock;
    this.#idleMs = idleMs;
    this.#caller = caller;
    this.#activeMs = clock.monotonicMs();
    this.#aborted = new Promise((_resolve, reject) => {
      this.signal.addEventListener("abort", () => reject(this.signal.reason), { once: true });
    });
    // Nobody may be waiting when it happens.
    this.#aborted.catch(() => undefined);
    if (caller.aborted) this.#onAbort();
    else caller.addEventListener("abort", this.#onAbort, { once: true });
    void this.#watch();
  }

  /** Aborts when the exchange is over, for whatever reason. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** For the library: the only way to the network. Redirects are not followed, because they would take the key along. */
  readonly fetch: typeof globalThis.fetch = async (input, init) => {
    this.signal.throwIfAborted();
    const response = await globalThis.fetch(input, { ...init, redirect: "manual", signal: this.signal });
    this.#hasHead = true;
    this.#activeMs = this.#clock.monotonicMs();
    if (response.body === null) return response;
    const counted = new TransformStream<Uint8Array, Uint8Array>({
      transform: (chunk, controller) => {
        this.#count(chunk.byteLength);
        controller.enqueue(chunk);
      },
    });
    const { status, statusText, headers } = response;
    return new Response(response.body.pipeThrough(counted), { status, statusText, headers });
  };

  /** Waits for a step of the exchange. A slow reader is not a silent provider, so the clock starts anew. */
  async wait<T>(step: PromiseLike<T>): Promise<T> {
    this.#activeMs = this.#clock.monotonicMs();
    return Promise.race([step, this.#aborted]);
  }

  /** Ends it; safe to call twice. */
  close(): void {
    this.#caller.removeEventListener("abort", this.#onAbort);
    this.#controller.abort();
  }

  #count(bytes: number): void {
    this.#activeMs = this.#clock.monotonicMs();
    this.#bytes += bytes;
    if (this.#bytes > ANSWER_BYTES_MAX) this.#controller.abort();
  }

  async #watch(): Promise<void> {
    try {
      for (;;) {
        const quietMs = this.#clock.monotonicMs() - this.#activeMs;
        if (quietMs >= this.#idleMs) break;
        await this.#clock.sleep(this.#idleMs - quietMs, this.signal);
      }
      this.#isSilent = true;
      this.#controller.abort();
    } catch {
      // The exchange ended before the silence did.
    }
  }

  /** What an exception from the library means. */
  failureOf(error: unknown): FailedExchange {
    if (this.#caller.aborted) return failed("network", "the request was aborted");
    if (this.#isSilent) return failed("timeout", `nothing came for ${this.#idleMs} ms`);
    if (this.#bytes > ANSWER_BYTES_MAX)
      return failed("garbage", `the answer is longer than ${ANSWER_BYTES_MAX} bytes`);
    const response = responseOf(error);
    if (response !== undefined) {
      return { failure: failureOfResponse(response, this.#clock.wallMs()), usage: NO_USAGE };
    }
    const code = codeOf(error);
    if (code !== undefined && UNREACHED_CODES.has(code)) {
      return { failure: { class: "network", message: deepestMessage(error) }, usage: NO_USAGE };
    }
    if (code !== undefined && TIMEOUT_CODES.has(code)) return failed("timeout", deepestMessage(error));
    if (code?.startsWith("HPE_") === true) return failed("garbage", `the answer is not HTTP: ${code}`);
    if (code !== undefined || isBrokenOff(error)) return failed("network", deepestMessage(error));
    return this.#hasHead
      ? failed("garbage", `the answer cannot be read: ${messageOf(error)}`)
      : failed("unknown", messageOf(error));
  }
}

function failed(failureClass: ModelFailure["class"], message: string): FailedExchange {
  return { failure: { class: failureClass, message }, usage: undefined };
}

/** What an error reported inside of the stream means. It has no status of its own: the work was begun. */
export function failureOfErrorPart(error: unknown): ModelFailure {
  if (typeof error !== "object" || error === null) return { class: "unknown", message: String(error) };
  const { type, code, message } = error as { type?: unknown; code?: unknown; message?: unknown };
  const text = typeof message === "string" ? message : JSON.stringify(error);
  const isReported = typeof type === "string" || typeof code === "string" || typeof code === "number";
  if (!isReported) return { class: "garbage", message: `the stream cannot be read: ${text}` };
  const name = typeof type === "string" ? type : String(code);
  const status = Number(code);
  const spokenClass = classOfErrorType(name, text);
  const isStatus = spokenClass === "unknown" && status >= 400 && status < 600;
  return { class: isStatus ? classOfStatus(status, text) : spokenClass, message: `${name}: ${text}` };
}

/** The error answer in an exception of the library, with the provider's own names for the error. */
function responseOf(
  error: unknown,
): { readonly status: number; readonly message: string; readonly headers: HeaderMap } | undefined {
  if (typeof error !== "object" || error === null) return undefined;
  const { statusCode, responseHeaders, responseBody } = error as {
    statusCode?: unknown;
    responseHeaders?: HeaderMap;
    responseBody?: unknown;
  };
  if (typeof statusCode !== "number" || statusCode < 300) return undefined;
  const body = typeof responseBody === "string" ? responseBody : "";
  const message = describeBody(body) ?? (messageOf(error) || `status ${statusCode}`);
  return { status: statusCode, message, headers: responseHeaders ?? {} };
}

/** `type: message` of the usual envelope; else the body itself, as far as a person would read it. */
function describeBody(body: string): string | undefined {
  const text = body.trim();
  if (text === "") return undefined;
  try {
    const parsed = JSON.parse(text) as { error?: unknown } & { [key: string]: unknown };
    const error = (typeof parsed.error === "object" && parsed.error !== null ? parsed.error : parsed) as {
      [key: string]: unknown;
    };
    if (typeof error.message === "string") {
      const names = [error.type, error.code, error.status].filter(
        (name) => typeof name === "string" && name !== "",
      );
      return [...new Set(names), error.message].join(": ");
    }
  } catch {
    // Not JSON: a page of some gateway in between.
  }
  return text.slice(0, 500);
}

function chain(error: unknown): Error[] {
  const errors: Error[] = [];
  let current = error;
  while (current instanceof Error && !errors.includes(current)) {
    errors.push(current);
    current = current.cause;
  }
  return errors;
}

/** Codes of the operating system, of TLS and of the HTTP client, anywhere in the chain of causes. */
const NETWORK_CODE =
  /^(E[A-Z]+|EAI_[A-Z]+|UND_ERR_(SOCKET|ABORTED|CLOSED|\w+_TIMEOUT)|HPE_\w+|\w*CERT\w*|UNABLE_TO_\w+|ERR_(TLS|SSL)_\w+)$/;

function codeOf(error: unknown): string | undefined {
  for (const each of chain(error)) {
    const { code } = each as { code?: unknown };
    if (typeof code === "string" && NETWORK_CODE.test(code)) return code;
  }
  return undefined;
}

function isBrokenOff(error: unknown): boolean {
  return chain(error).some(({ message }) =>
    /^(terminated|fetch failed|cannot connect to api)/i.test(message),
  );
}

function deepestMessage(error: unknown): string {
  const deepest = chain(error).at(-1) ?? error;
  const { code } = deepest as { code?: unknown };
  const message = messageOf(deepest);
  return typeof code === "string" && !message.includes(code) ? `${code}: ${message}` : message;
}
