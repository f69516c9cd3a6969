/** The wires that agents speak: where their requests go, what is read of them, and how a refusal looks to them. */
import type { IncomingHttpHeaders } from "node:http";
import type { Json } from "../../core/text.ts";
import type { GatewayWire, ModelPolicy, RequestWish } from "./contract.ts";

/** Which upstream a path belongs to. */
export type WireFamily = "anthropic" | "openai";

/** What a path asks for. */
export type Route =
  /** A request of a model: reserved, settled, logged. */
  | { readonly kind: "request"; readonly family: WireFamily; readonly wire: GatewayWire }
  /** Counts tokens, which costs nothing. */
  | { readonly kind: "count"; readonly family: "anthropic" }
  | { readonly kind: "models"; readonly family: WireFamily }
  | { readonly kind: "unknown"; readonly family: WireFamily };

/** The field that caps an answer, by wire; the first is the one that is written where none is given. */
const CAP_FIELDS: { readonly [wire in GatewayWire]: readonly [string, ...string[]] } = {
  anthropic: ["max_tokens"],
  "openai-chat": ["max_completion_tokens", "max_tokens"],
  "openai-responses": ["max_output_tokens"],
};

/** What a path asks for. Version prefixes may be left out, as some clients do. */
export function routeOf(method: string, path: string, headers: IncomingHttpHeaders): Route {
  const name = path.replace(/^\/v1(?=\/)/, "");
  const family = name.startsWith("/messages") || isAnthropic(headers) ? "anthropic" : "openai";
  if (method === "GET" && (name === "/models" || name.startsWith("/models/")))
    return { kind: "models", family };
  if (method !== "POST") return { kind: "unknown", family };
  switch (name) {
    case "/messages":
      return { kind: "request", family: "anthropic", wire: "anthropic" };
    case "/messages/count_tokens":
      return { kind: "count", family: "anthropic" };
    case "/chat/completions":
      return { kind: "request", family: "openai", wire: "openai-chat" };
    case "/responses":
      return { kind: "request", family: "openai", wire: "openai-responses" };
    default:
      return { kind: "unknown", family };
  }
}

function isAnthropic(headers: IncomingHttpHeaders): boolean {
  return headers["anthropic-version"] !== undefined;
}

/** The token that a client has sent as its key. */
export function tokenOf(headers: IncomingHttpHeaders): string | undefined {
  const own = headers["x-api-key"];
  if (typeof own === "string") return own;
  return /^Bearer (.+)$/i.exec(headers.authorization ?? "")?.[1];
}

/** Headers that carry the key of a family. */
export function keyHeaders(family: WireFamily, key: string | undefined): { readonly [name: string]: string } {
  if (key === undefined) return {};
  return family === "anthropic" ? { "x-api-key": key } : { authorization: `Bearer ${key}` };
}

/** A request that may go on, or why not. */
export type ReadRequest =
  | {
      readonly status: "read";
      readonly wish: Omit<RequestWish, "bodyBytes">;
      /** What is sent: as it came, unless something had to be changed. */
      readonly body: Buffer;
      /** The client did not ask for the usage of its stream, and would not understand it. */
      readonly hidesUsage: boolean;
    }
  | { readonly status: "malformed"; readonly message: string }
  | { readonly status: "forbidden"; readonly message: string };

/** Reads a body, and makes of it what is sent. @param maxOutputTokens - written where the client names no cap */
export function readRequest(
  wire: GatewayWire,
  body: Buffer,
  models: ModelPolicy,
  maxOutputTokens: number,
): ReadRequest {
  const fields = parseFields(body);
  const asked = fields?.model;
  if (fields === undefined || typeof asked !== "string" || asked === "")
    return { status: "malformed", message: "the body is not JSON with a `model`" };
  const model = models.forced ?? asked;
  if (models.forced === undefined && models.allowed !== undefined && !models.allowed.includes(asked))
    return { status: "forbidden", message: `the model ${asked} is not allowed in this session` };
  const [capField, ...otherFields] = CAP_FIELDS[wire];
  const cap = [capField, ...otherFields].map((name) => fields[name]).find(isCap);
  const isStreaming = fields.stream === true;
  const usageOption = usageOptionOf(wire, isStreaming, fields);
  const changes: Record<string, Json> = {
    ...(model !== asked && { model }),
    ...(cap === undefined && { [capField]: maxOutputTokens }),
    ...usageOption,
  };
  return {
    status: "read",
    wish: {
      wire,
      model,
      askedModel: asked.slice(0, 256),
      isStreaming,
      maxOutputTokens: cap ?? maxOutputTokens,
    },
    body: Object.keys(changes).length === 0 ? body : Buffer.from(JSON.stringify({ ...fields, ...changes })),
    hidesUsage: usageOption !== undefined,
  };
}

/** The same for a request that only counts: another model may count otherwise. */
export function withModel(body: Buffer, { forced }: ModelPolicy): Buffer {
  const fields = forced === undefined ? undefined : parseFields(body);
  return forced === undefined || fields === undefined
    ? body
    : Buffer.from(JSON.stringify({ ...fields, model: forced }));
}

function isCap(value: Json | undefined): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0;
}

/** This wire tells the usage of a stream only to those who ask. Undefined: it was asked for, or need not be. */
function usageOptionOf(
  wire: GatewayWire,
  isStreaming: boolean,
  fields: { readonly [name: string]: Json },
): { readonly stream_options: Json } | undefined {
  if (wire !== "openai-chat" || !isStreaming) return undefined;
  const options = fields.stream_options;
  const known = isFields(options) ? options : {};
  if (known.include_usage === true) return undefined;
  return { stream_options: { ...known, include_usage: true } };
}

function parseFields(body: Buffer): { readonly [name: string]: Json } | undefined {
  try {
    const value = JSON.parse(body.toString("utf8")) as Json;
    return isFields(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isFields(value: Json | undefined): value is { readonly [name: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What the gateway itself answers with. */
export type RefusalKind =
  | "token"
  | "path"
  | "malformed"
  | "too_large"
  | "model"
  | "budget"
  | "over"
  | "upstream";

const REFUSALS: {
  readonly [kind in RefusalKind]: {
    readonly status: number;
    readonly anthropic: string;
    readonly openai: string;
  };
} = {
  token: { status: 401, anthropic: "authentication_error", openai: "invalid_api_key" },
  path: { status: 404, anthropic: "not_found_error", openai: "not_found" },
  malformed: { status: 400, anthropic: "invalid_request_error", openai: "invalid_request" },
  too_large: { status: 413, anthropic: "request_too_large", openai: "request_too_large" },
  model: { status: 403, anthropic: "permission_error", openai: "model_not_allowed" },
  // Not 429: agents would try again until their patience ends, and nothing would change.
  budget: { status: 400, anthropic: "invalid_request_error", openai: "insufficient_quota" },
  // Tried again by agents, and answered by whoever drives the session by then.
  over: { status: 503, anthropic: "overloaded_error", openai: "server_error" },
  upstream: { status: 502, anthropic: "api_error", openai: "server_error" },
};

/** A refusal as clients of that family understand it. */
export function refusalOf(
  family: WireFamily,
  kind: RefusalKind,
  message: string,
): { readonly status: number; readonly body: Json } {
  const { status, anthropic, openai } = REFUSALS[kind];
  const text = `nightshift: ${message}`;
  return family === "anthropic"
    ? { status, body: { type: "error", error: { type: anthropic, message: text } } }
    : { status, body: { error: { message: text, type: openai, code: openai, param: null } } };
}

/** The list of models, where the session knows it. */
export function modelList(family: WireFamily, models: readonly string[]): Json {
  return family === "anthropic"
    ? {
        data: models.map((id) => ({
          type: "model",
          id,
          display_name: id,
          created_at: "2026-01-01T00:00:00Z",
        })),
        has_more: false,
        first_id: models[0] ?? null,
        last_id: models.at(-1) ?? null,
      }
    : {
        object: "list",
        data: models.map((id) => ({ id, object: "model", created: 0, owned_by: "nightshift" })),
      };
}
