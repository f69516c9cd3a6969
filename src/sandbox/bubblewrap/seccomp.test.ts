import { describe, expect, test } from "vitest";
import { FIELD, FilterProgram, VERDICT } from "./bpf.ts";
import { FORBIDDEN_CALLS, INSPECTED_CALLS, MISSING_CALLS } from "./calls.ts";
import { systemCallFilter } from "./seccomp.ts";

const X64 = 0xc000_003e;
const ARM64 = 0xc000_00b7;

interface Call {
  readonly architecture: number;
  readonly call: number;
  readonly arguments?: readonly number[];
}

/** What the kernel does with a filter, for the instructions that we use. */
function verdictOf(filter: Buffer, { architecture, call, arguments: values = [] }: Call): number {
  const data = Buffer.alloc(64);
  data.writeInt32LE(call, FIELD.call);
  data.writeUInt32LE(architecture, FIELD.architecture);
  for (const [index, value] of values.entries()) data.writeUInt32LE(value >>> 0, FIELD.argument0 + 8 * index);
  let loaded = 0;
  for (let at = 0; at < filter.length; at += 8) {
    const [code, yes, no, constant] = [
      filter.readUInt16LE(at),
      filter.readUInt8(at + 2),
      filter.readUInt8(at + 3),
      filter.readUInt32LE(at + 4),
    ];
    const jump = (holds: boolean): void => {
      at += 8 * (holds ? yes : no);
    };
    if (code === 0x20) loaded = data.readUInt32LE(constant);
    else if (code === 0x15) jump(loaded === constant);
    else if (code === 0x35) jump(loaded >= constant);
    else if (code === 0x45) jump((loaded & constant) !== 0);
    else if (code === 0x06) return constant;
    else throw new Error(`unknown instruction ${code}`);
  }
  throw new Error("the filter has no end");
}

describe.each([
  ["x64", X64, 0],
  ["arm64", ARM64, 1],
] as const)("the filter of %s", (name, architecture, column) => {
  const filter = systemCallFilter(name) ?? expect.fail("there is one");
  const verdict = (call: number, ...values: number[]): number =>
    verdictOf(filter, { architecture, call, arguments: values });

  test("refuses every forbidden call and every missing one as if it were not there", () => {
    for (const numbers of Object.values(FORBIDDEN_CALLS)) {
      const call = numbers[column];
      if (call !== null) expect(verdict(call), `${call}`).toBe(VERDICT.fail(1));
    }
    for (const numbers of Object.values(MISSING_CALLS)) {
      const call = numbers[column];
      if (call !== null) expect(verdict(call), `${call}`).toBe(VERDICT.fail(38));
    }
  });

  test("lets everything else pass", () => {
    const named = [FORBIDDEN_CALLS, MISSING_CALLS].flatMap((table) =>
      Object.values(table).map((row) => row[column]),
    );
    for (let call = 0; call < 460; call++) {
      const isInspected = Object.values(INSPECTED_CALLS).some((row) => row[column] === call);
      if (!named.includes(call) && !isInspected) expect(verdict(call), `${call}`).toBe(VERDICT.allow);
    }
  });

  test("looks at arguments where they decide", () => {
    const call = (key: keyof typeof INSPECTED_CALLS): number => INSPECTED_CALLS[key][column];
    expect(verdict(call("clone"), 17)).toBe(VERDICT.allow);
    expect(verdict(call("clone"), 0x1000_0000 | 17), "a user namespace").toBe(VERDICT.fail(1));
    expect(verdict(call("ioctl"), 0, 0x5401)).toBe(VERDICT.allow);
    expect(verdict(call("ioctl"), 0, 0x5412), "typing into a terminal").toBe(VERDICT.fail(1));
    for (const family of [1, 2, 10, 16]) expect(verdict(call("socket"), family)).toBe(VERDICT.allow);
    for (const family of [17, 38, 40]) expect(verdict(call("socket"), family)).toBe(VERDICT.fail(97));
    for (const key of ["prlimit64", "sched_setaffinity", "sched_setscheduler", "sched_setattr"] as const) {
      expect(verdict(call(key), 0), key).toBe(VERDICT.allow);
      expect(verdict(call(key), 1), key).toBe(VERDICT.fail(1));
    }
    expect(verdict(call("setpriority"), 0, 1)).toBe(VERDICT.fail(1));
    expect(verdict(call("setpriority"), 0, 77)).toBe(VERDICT.allow);
    expect(verdict(call("ioprio_set"), 1, 1)).toBe(VERDICT.fail(1));
  });

  test("ends whoever speaks for another architecture", () => {
    const other = architecture === X64 ? ARM64 : X64;
    expect(verdictOf(filter, { architecture: other, call: 0 })).toBe(VERDICT.kill);
    expect(verdictOf(filter, { architecture: 0x4000_0003, call: 1 }), "32 bits").toBe(VERDICT.kill);
  });
});

test("the other calling convention of x86_64 is none of ours", () => {
  const filter = systemCallFilter("x64") ?? expect.fail("there is one");
  expect(verdictOf(filter, { architecture: X64, call: 0x4000_0000 })).toBe(VERDICT.kill);
});

test("there is no filter for an architecture whose numbers are not known", () => {
  expect(systemCallFilter("mips")).toBeUndefined();
});

test("a jump to nowhere is a mistake of ours", () => {
  expect(() => new FilterProgram().jumpIf("equal", 1, "nowhere").assemble()).toThrow("nowhere");
});
