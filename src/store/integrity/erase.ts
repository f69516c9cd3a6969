/** What is left of an event's body when its texts must go. */
import type { Json } from "../../core/text.ts";

/** Stands for every text that was erased. */
export const ERASED = "[erased]";

/**
 * Names and marks that the fold and the harness go by, as paths (`*` for any index). They are ours or the
 * provider's, never what somebody typed; without them the rest of the log would lose its sense.
 */
const KEPT: ReadonlySet<string> = new Set([
  "agent.model.id",
  "agent.model.provider",
  "agent.name",
  "agent.tools.*",
  "agent_name",
  "backend",
  "call",
  "code",
  "context_hash",
  "error.code",
  "error.type",
  "from",
  "head_hash",
  "incarnation",
  "model",
  "model.id",
  "model.provider",
  "name",
  "owner",
  "provider_call_id",
  "sandbox",
  "sandbox.backend",
  "sandbox.workspace",
  "session_thread_id",
  "stop_reason.cap",
  "stop_reason.code",
  "stop_reason.calls.*",
  "tools.*.name",
  "version",
]);

/** An event's body. */
export type JsonObject = { readonly [key: string]: Json };

/**
 * Replaces texts from the outside in: a whole value where a text may stand in its place (so that keys that a model
 * chose go too), else what is inside of it. Signatures are dropped, because they sign what is gone.
 * @param isSound - does the event still fit its schema with this body?
 */
export function erasedBody(original: JsonObject, isSound: (body: Json) => boolean): Json {
  const { provider: _signature, ...unsigned } = original;
  let body: Json = isSound(unsigned) ? unsigned : original;
  for (const path of paths(body)) {
    const current = valueAt(body, path);
    if (current === undefined || !holdsText(current) || isKept(path)) continue;
    const candidate = withValue(body, path, ERASED);
    if (isSound(candidate)) body = candidate;
  }
  return body;
}

type Path = readonly (string | number)[];

function isKept(path: Path): boolean {
  return KEPT.has(path.map((key) => (typeof key === "number" ? "*" : key)).join("."));
}

/** Every place in a body, outer ones first. */
function* paths(value: Json, path: Path = []): Generator<Path, void, void> {
  if (path.length > 0) yield path;
  if (typeof value !== "object" || value === null) return;
  for (const [key, item] of Object.entries(value)) {
    yield* paths(item, [...path, Array.isArray(value) ? Number(key) : key]);
  }
}

/** Undefined where an outer value has been replaced already. */
function valueAt(value: Json, path: Path): Json | undefined {
  let current: Json | undefined = value;
  for (const key of path) {
    if (typeof current !== "object" || current === null || !Object.hasOwn(current, key)) return undefined;
    current = (current as { readonly [key: string | number]: Json })[key];
  }
  return current;
}

function holdsText(value: Json): boolean {
  if (typeof value === "string") return value !== "" && value !== ERASED;
  if (typeof value !== "object" || value === null) return false;
  return Object.entries(value).some(
    ([key, item]) => (!Array.isArray(value) && key !== "") || holdsText(item),
  );
}

function withValue(value: Json, [key, ...rest]: Path, replacement: Json): Json {
  if (key === undefined) return replacement;
  if (Array.isArray(value)) {
    return value.map((item: Json, index) => (index === key ? withValue(item, rest, replacement) : item));
  }
  const entries = Object.entries(value as JsonObject).map(([name, item]): [string, Json] => [
    name,
    name === key ? withValue(item, rest, replacement) : item,
  ]);
  return Object.fromEntries(entries);
}
