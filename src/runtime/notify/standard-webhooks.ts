/**
 * Signatures of the Standard Webhooks specification, symmetric scheme v1: HMAC-SHA256 over `id.timestamp.payload`, in
 * base64. A secret is `whsec_` and base64.
 */
import { createHmac, timingSafeEqual } from "node:crypto";

const PREFIX = "whsec_";
const SECRET_BYTES_MIN = 16;
/** A message that is older, or newer, is a replay or has a wrong clock. */
const TOLERANCE_SECONDS = 300;

/** The headers that go with a payload. */
export interface WebhookHeaders {
  readonly "webhook-id": string;
  readonly "webhook-timestamp": string;
  readonly "webhook-signature": string;
}

/** The key that a secret stands for; undefined when it is none. */
export function keyOf(secret: string): Buffer | undefined {
  const encoded = secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : secret;
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(encoded)) return undefined;
  const key = Buffer.from(encoded, "base64");
  return key.length >= SECRET_BYTES_MIN ? key : undefined;
}

/** @param at - wall-clock time of this try, in milliseconds */
export function sign(key: Buffer, id: string, at: number, payload: string): WebhookHeaders {
  const timestamp = String(Math.floor(at / 1000));
  return {
    "webhook-id": id,
    "webhook-timestamp": timestamp,
    "webhook-signature": `v1,${signatureOf(key, id, timestamp, payload).toString("base64")}`,
  };
}

/** For receivers: is this payload what somebody with the key has sent just now? */
export function verify(key: Buffer, headers: WebhookHeaders, payload: string, now: number): boolean {
  const timestamp = headers["webhook-timestamp"];
  if (!/^\d{1,12}$/.test(timestamp)) return false;
  if (Math.abs(now / 1000 - Number(timestamp)) > TOLERANCE_SECONDS) return false;
  const expected = signatureOf(key, headers["webhook-id"], timestamp, payload);
  return headers["webhook-signature"].split(" ").some((each) => {
    const [version, encoded = ""] = each.split(",");
    const given = Buffer.from(encoded, "base64");
    return version === "v1" && given.length === expected.length && timingSafeEqual(given, expected);
  });
}

function signatureOf(key: Buffer, id: string, timestamp: string, payload: string): Buffer {
  return createHmac("sha256", key).update(`${id}.${timestamp}.${payload}`).digest();
}
