import { describe, expect, test } from "vitest";
import { measuresTime, replacedClocksIn } from "./clocks.ts";

describe("a source replaces a clock", () => {
  test.each([
    ["a.js", "performance.now = () => 0;", "performance.now"],
    ["a.js", "Date.now = () => 0;", "Date.now"],
    ["a.ts", "(globalThis as any).x = 1; globalThis.Date = class {};", "globalThis.Date"],
    ["a.js", "Date['now'] = f;", 'Date["now"]'],
    ["a.js", "globalThis['performance'] = {};", 'globalThis["performance"]'],
    ["a.js", "process.hrtime.bigint = () => 0n;", "process.hrtime.bigint"],
    ["a.js", "Performance.prototype.now = f;", "Performance.prototype.now"],
    ["a.js", "Object.defineProperty(performance, 'now', { value: f });", "Object.defineProperty(performance"],
    ["a.js", "Object.defineProperty(globalThis, 'Date', { value: D });", "Object.defineProperty(globalThis"],
    ["a.js", "Reflect.set(Date, 'now', f);", "Reflect.set(Date"],
    ["a.py", "import time\ntime.perf_counter = lambda: 0\n", "time.perf_counter"],
    ["a.py", "import time\nif True:\n    time.monotonic_ns = f\n", "time.monotonic_ns"],
    ["a.py", "setattr(time, 'time', f)\n", "setattr(time"],
    ["a.py", "sys.modules['time'] = fake\n", 'sys.modules["time"]'],
  ])("%s: %s", (path, text, named) => {
    expect(replacedClocksIn(path, text)).toEqual([named]);
  });

  test.each([
    ["a.js", "const clock = { now: Date.now }; clock.now = () => 0; this.now = f;"],
    ["a.js", "const started = performance.now(); const date = new Date();"],
    ["a.js", "// Date.now = () => 0\nf('performance.now = g');"],
    ["a.js", "Object.assign({}, performance); let elapsed = Date.now() - started;"],
    ["a.py", "start = time.perf_counter()\nself.time = time.time()\nclock.time = f\n"],
    ["a.txt", "Date.now = 1"],
  ])("not in %s: %s", (path, text) => {
    expect(replacedClocksIn(path, text)).toEqual([]);
  });
});

test.each([
  ["expect(performance.now() - start).toBeLessThan(50)", true],
  ["assert time.perf_counter() - start < 0.1", true],
  ["const [s] = process.hrtime(start);", true],
  ["const id = Date.now();", false],
  ["vi.setSystemTime(Date.now() + 1000)", false],
])("measures time: %s", (text, is) => {
  expect(measuresTime(text)).toBe(is);
});
