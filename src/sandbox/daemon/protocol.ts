/**
 * What harness and daemon say to each other: one JSON object per line. Every command carries a number `n`, which
 * its answer repeats. Both sides check what they read: the daemon because commands in the sandbox can reach its
 * socket, the harness because a sandbox is never trusted.
 */
import {
  ERROR_CODES,
  type ErrorCode,
  isNightshiftError,
  messageOf,
  NightshiftError,
} from "../../core/errors.ts";
import type { ExecId } from "../../core/ids.ts";
import type { Json } from "../../core/text.ts";
import type { ExecLimits, ExecRequest, Operation } from "../contract.ts";

/** Raised when either side would misunderstand the other. */
export const PROTOCOL_VERSION = 1;

/** What a harness may ask of a daemon. */
export type Command =
  | { readonly method: "hello"; readonly protocol: number; readonly token: string }
  | { readonly method: "attach"; readonly epoch: number }
  | { readonly method: "execute"; readonly request: ExecRequest; readonly stream: boolean }
  | { readonly method: "prepare"; readonly operation: "write" | "edit"; readonly input: Json }
  | { readonly method: "cancel"; readonly execId: ExecId }
  /** The answer to command `target` is no longer wanted. */
  | { readonly method: "abandon"; readonly target: number }
  | { readonly method: "shutdown" };

/** What the daemon says about itself after the token was right. */
export interface Greeting {
  readonly sandbox: string;
  readonly incarnation: string;
  readonly workspace: string;
  readonly pid: number;
  /** By what means limits hold; absent where nothing is limited. */
  readonly limits?: { readonly [limit: string]: string };
}

/** One frame from the daemon. */
export type Answer =
  | { readonly n: number; readonly ok: Json }
  | { readonly n: number; readonly error: { readonly code: ErrorCode; readonly message: string } }
  | { readonly n: number; readonly output: string };

const OPERATIONS: ReadonlySet<string> = new Set<Operation>([
  "shell",
  "read",
  "write",
  "edit",
  "glob",
  "grep",
] satisfies Operation[]);

const WALL_MS_MAX = 2_147_483_647;
const OUTPUT_BYTES_MAX = 4 * 1024 * 1024;
const ID_BYTES_MAX = 256;

/** @throws NightshiftError `E_USAGE` for anything that is not a well-formed command */
export function parseCommand(frame: string): { readonly n: number; readonly command: Command } {
  const object = parseObject(frame);
  const n = integer(object, "n", 0);
  return { n, command: parseMethod(object) };
}

function parseMethod(object: JsonObject): Command {
  const method = text(object, "method");
  switch (method) {
    case "hello":
      return { method, protocol: integer(object, "protocol", 0), token: text(object, "token") };
    case "attach":
      return { method, epoch: integer(object, "epoch", 0) };
    case "execute":
      return { method, request: parseRequest(object["request"]), stream: object["stream"] === true };
    case "prepare": {
      const operation = text(object, "operation");
      if (operation !== "write" && operation !== "edit") throw malformed("operation");
      return { method, operation, input: object["input"] ?? null };
    }
    case "cancel":
      return { method, execId: text(object, "execId", ID_BYTES_MAX) as ExecId };
    case "abandon":
      return { method, target: integer(object, "target", 0) };
    case "shutdown":
      return { method };
    default:
      throw malformed("method");
  }
}

function parseRequest(value: Json | undefined): ExecRequest {
  const object = asObject(value, "request");
  const operation = text(object, "operation");
  if (!OPERATIONS.has(operation)) throw malformed("operation");
  const expectedBefore = object["expectedBefore"];
  if (expectedBefore !== undefined && expectedBefore !== null && !isHash(expectedBefore)) {
    throw malformed("expectedBefore");
  }
  return {
    execId: text(object, "execId", ID_BYTES_MAX) as ExecId,
    incarnation: text(object, "incarnation", ID_BYTES_MAX),
    operation: operation as Operation,
    input: object["input"] ?? null,
    limits: parseLimits(object["limits"]),
    ...(expectedBefore === undefined ? {} : { expectedBefore }),
  };
}

function parseLimits(value: Json | undefined): ExecLimits {
  const object = asObject(value, "limits");
  return {
    wallMs: integer(object, "wallMs", 1, WALL_MS_MAX),
    outputBytes: integer(object, "outputBytes", 1, OUTPUT_BYTES_MAX),
  };
}

/** @throws NightshiftError `E_SANDBOX_LOST` when this is no daemon of ours */
export function parseAnswer(frame: string): Answer {
  try {
    const object = parseObject(frame);
    const n = integer(object, "n", 0);
    if (object["error"] !== undefined) {
      const error = asObject(object["error"], "error");
      return { n, error: { code: errorCode(text(error, "code")), message: text(error, "message") } };
    }
    if (object["output"] !== undefined) return { n, output: text(object, "output") };
    return { n, ok: object["ok"] ?? null };
  } catch (error) {
    throw new NightshiftError("E_SANDBOX_LOST", `the daemon answers nonsense: ${messageOf(error)}`);
  }
}

/** The frame that tells of a failure. */
export function failureAnswer(n: number, error: unknown): Answer {
  const code = isNightshiftError(error) ? error.code : "E_INTERNAL";
  return { n, error: { code, message: messageOf(error) } };
}

function errorCode(code: string): ErrorCode {
  return Object.hasOwn(ERROR_CODES, code) ? (code as ErrorCode) : "E_INTERNAL";
}

type JsonObject = { readonly [key: string]: Json };

function parseObject(frame: string): JsonObject {
  try {
    return asObject(JSON.parse(frame) as Json, "frame");
  } catch {
    throw malformed("frame");
  }
}

function asObject(value: Json | undefined, name: string): JsonObject {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw malformed(name);
  return value as JsonObject;
}

function text(object: JsonObject, name: string, bytesMax = Number.POSITIVE_INFINITY): string {
  const value = object[name];
  if (typeof value !== "string" || Buffer.byteLength(value) > bytesMax) throw malformed(name);
  return value;
}

function integer(object: JsonObject, name: string, min: number, max = Number.MAX_SAFE_INTEGER): number {
  const value = object[name];
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < min || value > max) {
    throw malformed(name);
  }
  return value;
}

function isHash(value: Json): value is string {
  return typeof value === "string" && /^[0-9a-f]{64}$/.test(value);
}

function malformed(name: string): NightshiftError {
  return new NightshiftError("E_USAGE", `malformed message between harness and daemon: ${name}`);
}
