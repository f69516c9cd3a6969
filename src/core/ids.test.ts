import { describe, expect, test } from "vitest";
import { asSessionId, callId, eventId, execId, isSessionId, sandboxId, sessionId, threadId } from "./ids.ts";

describe("ids", () => {
  const session = sessionId("0123abcd");

  test("derived names follow from their place", () => {
    expect(session).toBe("sesn_0123abcd");
    expect(threadId(session, 2)).toBe("sthr_0123abcd_2");
    expect(sandboxId(session, 0)).toBe("sbox_0123abcd_0");
    expect(eventId(session, 37)).toBe("sevt_0123abcd_11");
    expect(execId(session, callId(3, 1), 2)).toBe("sesn_0123abcd/c3_1/2");
  });

  test.each(["sesn_0123abcd", `sesn_${"z".repeat(40)}`])("%s is a session id", (text) => {
    expect(isSessionId(text)).toBe(true);
    expect(asSessionId(text)).toBe(text);
  });

  test.each([
    "",
    "sesn_",
    "sesn_short",
    `sesn_${"z".repeat(41)}`,
    "sesn_UPPERCASE",
    "sesn_01234567\n",
    "sthr_0123abcd_0",
    "../sesn_0123abcd",
  ])("%j is none", (text) => expect(isSessionId(text)).toBe(false));
});
