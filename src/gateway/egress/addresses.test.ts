import { describe, expect, test } from "vitest";
import { isClosedAddress, targetsOf } from "./addresses.ts";

const RULE = { name: "rule", host: "name.test", port: 443 } as const;

test.each([
  ["127.0.0.1", true],
  ["10.1.2.3", true],
  ["172.16.0.1", true],
  ["172.32.0.1", false],
  ["192.168.1.1", true],
  ["169.254.169.254", true],
  ["100.100.100.200", true],
  ["168.63.129.16", true],
  ["0.0.0.0", true],
  ["224.0.0.1", true],
  ["255.255.255.255", true],
  ["8.8.8.8", false],
  ["::1", true],
  ["::", true],
  ["fe80::1", true],
  ["fd00:ec2::254", true],
  ["::ffff:127.0.0.1", true],
  ["::ffff:8.8.8.8", true],
  ["64:ff9b::7f00:1", true],
  ["2002:7f00:1::", true],
  ["ff02::1", true],
  ["2606:4700::1", false],
  ["nonsense", true],
])("%s is closed: %s", (address, isClosed) => {
  expect(isClosedAddress(address)).toBe(isClosed);
});

describe("a name is dialled", () => {
  test.each([
    [["8.8.8.8", "2606:4700::1"], "allowed"],
    [["127.0.0.1"], "refused"],
    [["8.8.8.8", "169.254.169.254"], "refused"],
    [[], "refused"],
  ])("%j: %s", async (addresses, verdict) => {
    expect((await targetsOf(RULE, "name.test", async () => addresses)).verdict).toBe(verdict);
  });

  test("at private addresses only when its rule names them, and then nobody is asked", async () => {
    const nobody = (): never => expect.fail("a name service was asked");
    const pinned = { ...RULE, addresses: ["127.0.0.1"] };
    expect(await targetsOf(pinned, "name.test", nobody)).toEqual({
      verdict: "allowed",
      addresses: ["127.0.0.1"],
    });
    const literal = { ...RULE, host: "127.0.0.1" };
    expect((await targetsOf(literal, "127.0.0.1", nobody)).verdict).toBe("allowed");
  });
});
