/** Which rule, if any, covers what a client wants to dial. */
import { isIP } from "node:net";
import { NightshiftError } from "../../core/errors.ts";
import type { EgressPolicy, EgressRule } from "./contract.ts";

/** What a client wants. */
export interface Wish {
  /** As {@link normaliseHost} gives it. */
  readonly host: string;
  readonly port: number;
  /** Undefined for a tunnel, in which nothing of it can be seen. */
  readonly request?: { readonly method: string; readonly path: string };
}

/** What becomes of it. */
export type Judgement =
  | { readonly verdict: "allowed"; readonly rule: EgressRule }
  | { readonly verdict: "refused"; readonly reason: string };

const DECODINGS_MAX = 4;
const HOST_PATTERN = /^(\*\.)?[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/;

/**
 * Host as it is compared: lower case, punycode, no final dot, addresses in their usual form and IPv6 without
 * brackets. Undefined when it is none.
 */
export function normaliseHost(text: string): string | undefined {
  if (text === "" || text.length > 255 || /[\s/@?#\\%]/.test(text)) return undefined;
  const written = isIP(text) === 6 ? `[${text}]` : text;
  if (!URL.canParse(`http://${written}`)) return undefined;
  const { hostname, port } = new URL(`http://${written}`);
  if (port !== "") return undefined;
  const host = hostname.replace(/^\[(.*)\]$/, "$1").replace(/\.$/, "");
  return host === "" ? undefined : host;
}

/** `host:port` of a CONNECT. */
export function parseAuthority(
  authority: string,
): { readonly host: string; readonly port: number } | undefined {
  const match = /^(\[[0-9a-fA-F:.]+\]|[^:[\]]+):(\d{1,5})$/.exec(authority);
  const host = normaliseHost((match?.[1] ?? "").replace(/^\[(.*)\]$/, "$1"));
  const port = Number(match?.[2]);
  return host === undefined || port < 1 || port > 65_535 ? undefined : { host, port };
}

/** The first rule that covers the wish, or why none does. */
export function judge(rules: readonly EgressRule[], wish: Wish): Judgement {
  const reached = rules.filter((rule) => rule.port === wish.port && coversHost(rule.host, wish.host));
  if (reached.length === 0) return { verdict: "refused", reason: "no rule names this host and port" };
  const { request } = wish;
  if (request === undefined) {
    const open = reached.find((rule) => rule.methods === undefined && rule.path === undefined);
    if (open !== undefined) return { verdict: "allowed", rule: open };
    const reason = "the rule for this host restricts methods or paths, which a tunnel (CONNECT) hides";
    return { verdict: "refused", reason };
  }
  const fitting = reached.filter((rule) => rule.methods?.includes(request.method) ?? true);
  if (fitting.length === 0) return { verdict: "refused", reason: "no rule for this host has this method" };
  const rule = fitting.find(({ path }) => path === undefined || coversPath(path, request.path));
  return rule === undefined
    ? { verdict: "refused", reason: "no rule for this host and method has this path" }
    : { verdict: "allowed", rule };
}

function coversHost(pattern: string, host: string): boolean {
  if (!pattern.startsWith("*.")) return pattern === host;
  return isIP(host) === 0 && host.endsWith(pattern.slice(1)) && host.length > pattern.length - 1;
}

/**
 * The path as it is sent must begin with the prefix, and so must what a server may make of it by decoding it: an
 * encoded `../` gets nobody out.
 */
function coversPath(prefix: string, path: string): boolean {
  let current = path;
  for (let decodings = 0; decodings < DECODINGS_MAX; decodings++) {
    if (!beginsWith(prefix, current)) return false;
    const decoded = decode(current);
    if (decoded === undefined) return false;
    if (decoded === current) return true;
    current = decoded;
  }
  return false;
}

function beginsWith(prefix: string, path: string): boolean {
  const clean = resolveSegments(path);
  const whole = prefix.endsWith("/") ? prefix : `${prefix}/`;
  return `${clean}/`.startsWith(whole);
}

function resolveSegments(path: string): string {
  const kept: string[] = [];
  // Some servers take a backslash for a slash, and what follows a semicolon for no part of the name.
  for (const written of path.replaceAll("\\", "/").split("/")) {
    const segment = written.replace(/;.*$/, "");
    if (segment === "..") kept.pop();
    else if (segment !== "" && segment !== ".") kept.push(segment);
  }
  return `/${kept.join("/")}`;
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** @throws NightshiftError `E_CONFIG` that names the rule or injection and what is wrong with it */
export function checkPolicy({ rules, injections }: EgressPolicy): void {
  for (const [index, rule] of rules.entries()) {
    const problem = problemOf(rule);
    if (problem !== undefined)
      throw new NightshiftError("E_CONFIG", `egress rule ${index} (${rule.name}): ${problem}`);
  }
  for (const { host, headers } of injections) {
    if (normaliseHost(host) !== host || host.includes("*")) {
      throw new NightshiftError("E_CONFIG", `egress injection for ${JSON.stringify(host)}: not a host`);
    }
    for (const [name, value] of Object.entries(headers)) {
      const isFine = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name) && /^[\t\x20-\x7e]*$/.test(value);
      if (!isFine)
        throw new NightshiftError("E_CONFIG", `egress injection for ${host}: a header is malformed`);
    }
  }
}

function problemOf({ name, host, port, methods, path, addresses }: EgressRule): string | undefined {
  if (name === "") return "it needs a name";
  const isHost = isIP(host) !== 0 ? normaliseHost(host) === host : HOST_PATTERN.test(host);
  if (!isHost || host === "*") return `${JSON.stringify(host)} is neither a host nor *.domain, in lower case`;
  if (!Number.isInteger(port) || port < 1 || port > 65_535) return `${port} is no port`;
  if (methods?.some((method) => !/^[A-Z]+$/.test(method))) return "methods are upper case words";
  if (path !== undefined && (!path.startsWith("/") || resolveSegments(path) !== path.replace(/(.)\/$/, "$1")))
    return `${JSON.stringify(path)} is no absolute path`;
  if (addresses?.length === 0 || addresses?.some((address) => isIP(address) === 0))
    return "addresses must be IP addresses";
  return undefined;
}
