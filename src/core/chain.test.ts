import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bodyHash, type EventHeader, eventHash, genesisHash } from "./chain.ts";

const header: EventHeader = { session: "sesn_test0001", seq: 1, type: "user.message", v: 1, at: 1000 };

describe("chain", () => {
  test("the form of the hash is fixed for ever", () => {
    const first = eventHash(genesisHash(header.session), header, bodyHash('{"content":[]}'));
    expect(genesisHash(header.session)).toBe(
      "259a3a5cf6d029ed4afdd3fd47015d0fae350160c22b6b0e01bf3b718e832d12",
    );
    expect(first).toBe("6eab9ebd9af1436f67d8c6a8cb94f12f28cf1ca6872d9d405a051a467915bdea");
  });

  test("every field of the header, the body and the predecessor is covered", () => {
    const previous = genesisHash(header.session);
    const changed = [
      eventHash(previous, header, bodyHash("{}")),
      eventHash(genesisHash("sesn_test0002"), header, bodyHash("{}")),
      eventHash(previous, { ...header, session: "sesn_test0002" }, bodyHash("{}")),
      eventHash(previous, { ...header, seq: 2 }, bodyHash("{}")),
      eventHash(previous, { ...header, type: "user.interrupt" }, bodyHash("{}")),
      eventHash(previous, { ...header, v: 2 }, bodyHash("{}")),
      eventHash(previous, { ...header, at: 1001 }, bodyHash("{}")),
      eventHash(previous, header, bodyHash("{} ")),
    ];
    expect(new Set(changed).size).toBe(changed.length);
  });

  test("no two headers run together: a field has no space in it", () => {
    const word = fc.stringMatching(/^[a-z_.]{1,12}$/);
    const headers = fc.record({ session: word, seq: fc.nat(), type: word, v: fc.nat(), at: fc.nat() });
    fc.assert(
      fc.property(headers, headers, (left, right) => {
        const same = JSON.stringify(left) === JSON.stringify(right);
        const hashes = [left, right].map((each) => eventHash("", each, bodyHash("{}")));
        expect(hashes[0] === hashes[1]).toBe(same);
      }),
    );
  });
});
