import { expect, test } from "vitest";
import { keyOf, sign, verify } from "./standard-webhooks.ts";

/** The example of the specification's reference libraries. */
const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const ID = "msg_p5jXN8AQM9LWM0D4loKWxJek";
const AT = 1_614_265_330_000;
const PAYLOAD = '{"test": 2432232314}';
const SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

const key = keyOf(SECRET) as Buffer;

test("signs as the specification's example does", () => {
  expect(sign(key, ID, AT, PAYLOAD)).toEqual({
    "webhook-id": ID,
    "webhook-timestamp": "1614265330",
    "webhook-signature": SIGNATURE,
  });
});

test("verifies what it signs, also among other signatures, and nothing else", () => {
  const headers = sign(key, ID, AT, PAYLOAD);
  expect(verify(key, headers, PAYLOAD, AT)).toBe(true);
  expect(verify(key, { ...headers, "webhook-signature": `v1,AAAA v2,x ${SIGNATURE}` }, PAYLOAD, AT)).toBe(
    true,
  );
  expect(verify(key, headers, `${PAYLOAD} `, AT)).toBe(false);
  expect(verify(key, { ...headers, "webhook-id": "msg_other" }, PAYLOAD, AT)).toBe(false);
  expect(verify(key, headers, PAYLOAD, AT + 301_000)).toBe(false);
  expect(verify(key, headers, PAYLOAD, AT - 301_000)).toBe(false);
  expect(verify(key, { ...headers, "webhook-timestamp": "1614265331" }, PAYLOAD, AT)).toBe(false);
});

test.each(["", "whsec_", "whsec_%%%", "short", "whsec_AAAA"])("%j is no secret", (text) => {
  expect(keyOf(text)).toBeUndefined();
});
