import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { findMeans, type LimitFacts } from "./means.ts";

let top = "";
beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), "nightshift-groups-"));
});
afterEach(() => rmSync(top, { recursive: true, force: true }));

/** A group folder as the kernel would show it, given to this user. */
function group(path: string, given: string, controllers = "cpu memory pids"): void {
  const folder = join(top, path);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "cgroup.procs"), "");
  writeFileSync(join(folder, "cgroup.controllers"), controllers);
  writeFileSync(join(folder, "cgroup.subtree_control"), given);
}

function facts(own: string, rest: Partial<LimitFacts> = {}): LimitFacts {
  return {
    mountInfo: `41 31 0:38 / ${top} rw - cgroup2 cgroup2 rw`,
    membership: `0::${own}\n`,
    prlimit: "/usr/bin/prlimit",
    isRoot: false,
    ...rest,
  };
}

test("a desktop session: the group above ours hands out what is needed", () => {
  group("app.slice", "cpu memory pids");
  group("app.slice/terminal.scope", "", "");
  const means = findMeans(facts("/app.slice/terminal.scope"));
  expect(means.places).toEqual([
    { version: 2, parent: join(top, "app.slice"), controllers: ["memory", "pids", "cpu"] },
  ]);
  expect(means.inForce).toEqual({ memory: "cgroup-v2", processes: "cgroup-v2", cpus: "cgroup-v2" });
});

test("what the group hands out only in part is held by other means, or said not to be held", () => {
  group("app.slice", "memory", "memory");
  group("app.slice/terminal.scope", "", "");
  const { inForce } = findMeans(facts("/app.slice/terminal.scope"));
  expect(inForce).toEqual({ memory: "cgroup-v2", processes: "prlimit", cpus: "none" });
});

test("no group may be made above one that this user may not write to", () => {
  group("app.slice", "cpu memory pids");
  mkdirSync(join(top, "app.slice/session.scope"), { recursive: true });
  const { places, inForce } = findMeans(facts("/app.slice/session.scope"));
  expect(places).toEqual([]);
  expect(inForce).toEqual({ memory: "prlimit", processes: "prlimit", cpus: "none" });
});

test("a controller that is there but not handed out is asked for", () => {
  group("app.slice", "", "memory");
  findMeans(facts("/app.slice"));
  expect(readFileSync(join(top, "app.slice/cgroup.subtree_control"), "utf8")).toBe("+memory");
});

test("without groups and without prlimit nothing is held, and the processes of root are not counted", () => {
  const none = findMeans({ mountInfo: "", membership: "", prlimit: undefined, isRoot: true });
  expect(none.inForce).toEqual({ memory: "none", processes: "none", cpus: "none" });
  const root = findMeans({ mountInfo: "", membership: "", prlimit: "/usr/bin/prlimit", isRoot: true });
  expect(root.inForce).toEqual({ memory: "prlimit", processes: "none", cpus: "none" });
});
