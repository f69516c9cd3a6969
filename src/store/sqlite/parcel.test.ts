import fc from "fast-check";
import { expect, test } from "vitest";
import { sessionId } from "../../core/ids.ts";
import { pack, unpack } from "./parcel.ts";
import type { WriteRequest } from "./requests.ts";

const text = fc.string({ unit: "binary", maxLength: 40 });
const seq = fc.nat(2 ** 40);
const blobs = fc.oneof(
  { weight: 5, arbitrary: fc.constant([]) },
  fc.array(fc.record({ hash: text, text, bytes: fc.nat() }), { maxLength: 2 }),
);
const event = fc.record({ type: text, v: fc.nat(9), body: text, bodyHash: text, blobs });
const spent = fc.record({ requests: fc.nat(), tokens: fc.nat(), costMicroUsd: fc.nat() });
const append = fc.record({
  kind: fc.constant("append" as const),
  sessionId: fc.stringMatching(/^[a-z]{8}$/).map(sessionId),
  epoch: seq,
  expectedSeq: fc.option(seq),
  batch: fc.record({ appendId: text, at: seq, events: fc.array(event, { minLength: 1, maxLength: 5 }) }),
  snapshot: fc.option(fc.record({ fold: text, body: text }), { freq: 5 }),
  summary: fc.option(text),
  spending: fc.option(fc.record({ day: fc.nat(), delta: spent, cap: spent }), { freq: 5 }),
});
const renew = append.map(
  ({ sessionId, epoch }): WriteRequest => ({ kind: "renew", sessionId, epoch, leaseUntilMs: 7 }),
);

test("requests come out of a parcel as they were put in, in order, also after crossing", () => {
  const anyRequest: fc.Arbitrary<WriteRequest> = fc.oneof({ weight: 4, arbitrary: append }, renew);
  fc.assert(
    fc.property(fc.array(anyRequest, { maxLength: 6 }), (requests) => {
      expect(unpack(structuredClone(pack(requests)))).toEqual(requests);
    }),
  );
});

test("the readable form of an event stays behind", () => {
  const event = { type: "agent.message" };
  const sealed = { type: "agent.message", v: 1, body: "{}", bodyHash: "", blobs: [], event };
  for (const snapshot of [null, { fold: "f", body: "b" }]) {
    const request: WriteRequest = {
      kind: "append",
      sessionId: sessionId("abcdefgh"),
      epoch: 1,
      expectedSeq: null,
      batch: { appendId: "1", at: 1, events: [sealed] },
      snapshot,
      summary: null,
      spending: null,
    };
    const [crossed] = unpack(pack([request]));
    expect(JSON.stringify(crossed)).not.toContain('"event"');
  }
});
