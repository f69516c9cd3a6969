/**
 * The hash chain: each event's hash covers the one before it, its own header, and the hash of its stored body.
 * The body enters through its hash, so a leaked secret's body can be erased later without breaking the chain.
 */
import { hash } from "node:crypto";
import type { Sequence } from "./ids.ts";

/** What is hashed besides the body, exactly as stored. */
export interface EventHeader {
  readonly session: string;
  readonly seq: Sequence;
  readonly type: string;
  readonly v: number;
  readonly at: number;
}

/** The hash before the first event of a session, hex. */
export function genesisHash(session: string): string {
  return hash("sha256", `nightshift log 1 ${session}`, "hex");
}

/** SHA-256 of the stored bytes of a body, hex. */
export function bodyHash(body: string): string {
  return hash("sha256", body, "hex");
}

/** @returns the event's hash, hex */
export function eventHash(previous: string, header: EventHeader, hashOfBody: string): string {
  const line = `${previous} ${header.session} ${header.seq} ${header.type} ${header.v} ${header.at} ${hashOfBody}`;
  return hash("sha256", line, "hex");
}
