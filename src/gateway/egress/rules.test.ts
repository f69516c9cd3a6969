import { describe, expect, test } from "vitest";
import { isNightshiftError } from "../../core/errors.ts";
import { EGRESS_LIMITS, type EgressRule } from "./contract.ts";
import { readDestination } from "./forward.ts";
import { checkPolicy, judge, normaliseHost, parseAuthority } from "./rules.ts";

const OPEN: EgressRule = { name: "open", host: "open.test", port: 443 };
const BELOW: EgressRule = { name: "below", host: "*.wide.test", port: 443 };
const NARROW: EgressRule = {
  name: "narrow",
  host: "narrow.test",
  port: 443,
  methods: ["GET", "HEAD"],
  path: "/api/v1",
};
const RULES = [OPEN, BELOW, NARROW];

describe("what a tunnel may reach", () => {
  test.each([
    ["open.test:443", "open"],
    ["OPEN.test.:443", "open"],
    ["open.test:80", undefined],
    ["evil-open.test:443", undefined],
    ["open.test.evil.test:443", undefined],
    ["a.wide.test:443", "below"],
    ["a.b.wide.test:443", "below"],
    ["wide.test:443", undefined],
    ["evilwide.test:443", undefined],
    ["narrow.test:443", undefined],
    ["127.0.0.1:443", undefined],
    ["[::1]:443", undefined],
  ])("%s: %s", (authority, name) => {
    const target = parseAuthority(authority);
    const judgement = judge(RULES, target ?? expect.fail("it is an authority"));
    expect(judgement.verdict === "allowed" ? judgement.rule.name : undefined).toBe(name);
  });

  test("a rule with methods or a path says why it closes tunnels", () => {
    expect(judge(RULES, { host: "narrow.test", port: 443 })).toMatchObject({
      reason: expect.stringContaining("CONNECT"),
    });
  });

  test.each([
    "",
    "open.test",
    "open.test:0",
    "open.test:65536",
    "open.test:443:443",
    "user@open.test:443",
    "open.test/x:443",
    "open test:443",
    "open.test:443 ",
    "[open.test]:443",
    "%6fpen.test:443",
  ])("%j is no authority", (authority) => {
    expect(parseAuthority(authority)).toBeUndefined();
  });

  test("numbers in odd clothes are the addresses they mean", () => {
    expect(normaliseHost("2130706433")).toBe("127.0.0.1");
    expect(normaliseHost("0x7f.1")).toBe("127.0.0.1");
    expect(normaliseHost("0:0::1")).toBe("::1");
  });
});

describe("what a request may ask", () => {
  test.each([
    ["GET", "/api/v1", true],
    ["GET", "/api/v1/", true],
    ["GET", "/api/v1/things", true],
    ["GET", "/api/v1/@scope%2fname", true],
    ["GET", "/api/v12", false],
    ["GET", "/api", false],
    ["POST", "/api/v1/things", false],
    ["GET", "/api/v1/../secret", false],
    ["GET", "/api/v1/%2e%2e/secret", false],
    ["GET", "/api/v1/..%2f..%2fsecret", false],
    ["GET", "/api/v1/%252e%252e%252f%252e%252e%252fsecret", false],
    ["GET", "/api/v1/..%5c..%5csecret", false],
    ["GET", "/api/v1/..;/..;/secret", false],
    ["GET", "/api/v1/%25252525252e", false],
    ["GET", "/api/v1/%ff", false],
  ])("%s %s: %s", (method, path, isAllowed) => {
    const judgement = judge(RULES, { host: "narrow.test", port: 443, request: { method, path } });
    expect(judgement.verdict === "allowed").toBe(isAllowed);
  });

  test.each([
    ["http://Open.Test/a/../b?q#f", { scheme: "http", host: "open.test", port: 80, path: "/b", query: "?q" }],
    ["/.to/open.test/x?y", { scheme: "https", host: "open.test", port: 443, path: "/x", query: "?y" }],
    ["/.to/open.test:8443/", { scheme: "https", host: "open.test", port: 8443, path: "/", query: "" }],
    ["/.to/user:word@open.test/", undefined],
    ["http://user@open.test/", undefined],
    ["/plain", undefined],
    ["ftp://open.test/", undefined],
    ["*", undefined],
  ])("%s goes to %j", (target, destination) => {
    expect(readDestination(target)).toEqual(destination);
  });
});

describe("a policy is refused", () => {
  test.each([
    ["a host that is none", { ...OPEN, host: "https://open.test" }],
    ["every host", { ...OPEN, host: "*" }],
    ["upper case, which would never match", { ...OPEN, host: "Open.test" }],
    ["no name", { ...OPEN, name: "" }],
    ["no port", { ...OPEN, port: 0 }],
    ["a relative path", { ...OPEN, path: "api" }],
    ["a path that leads elsewhere", { ...OPEN, path: "/api/../x" }],
    ["a name as an address", { ...OPEN, addresses: ["localhost"] }],
  ])("for %s", (_what, rule) => {
    const policy = { rules: [rule], injections: [], limits: EGRESS_LIMITS };
    expect(() => checkPolicy(policy)).toThrow(
      expect.toSatisfy((error) => isNightshiftError(error, "E_CONFIG")),
    );
  });

  test("for a header that would break out of its line, without repeating it", () => {
    const injections = [{ host: "open.test", headers: { authorization: "Bearer x\r\nevil: y" } }];
    expect(() => checkPolicy({ rules: [], injections, limits: EGRESS_LIMITS })).toThrow(/^((?!Bearer).)*$/);
  });
});
