import { expect, test } from "vitest";
import { findHierarchies } from "./hierarchies.ts";

const HYBRID = [
  "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct",
  "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory",
  "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw",
  "22 1 8:1 / / rw,relatime - ext4 /dev/vda rw",
].join("\n");

test("each controller's own group, in both versions", () => {
  const found = findHierarchies(HYBRID, "4:memory:/a/b\n3:cpu,cpuacct:/\n0::/user.slice/x.scope\n");
  expect(found).toEqual([
    {
      version: 1,
      controllers: ["cpu", "cpuacct"],
      top: "/sys/fs/cgroup/cpu,cpuacct",
      own: "/sys/fs/cgroup/cpu,cpuacct/",
    },
    { version: 1, controllers: ["memory"], top: "/sys/fs/cgroup/memory", own: "/sys/fs/cgroup/memory/a/b" },
    {
      version: 2,
      controllers: [],
      top: "/sys/fs/cgroup/unified",
      own: "/sys/fs/cgroup/unified/user.slice/x.scope",
    },
  ]);
});

test("a container that sees only its own part of the tree", () => {
  const part = "35 31 0:32 /docker/abc /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory";
  expect(findHierarchies(part, "4:memory:/docker/abc/job\n")[0]?.own).toBe("/sys/fs/cgroup/memory/job");
  expect(findHierarchies(part, "4:memory:/elsewhere\n")).toEqual([]);
});

test("a group outside of the visible tree is none that can be used", () => {
  const whole = "41 31 0:38 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw";
  expect(findHierarchies(whole, "0::/../../other\n")).toEqual([]);
});

test("a mount point with a space in its name", () => {
  const odd = "41 31 0:38 / /mnt/c\\040g rw - cgroup2 cgroup2 rw";
  expect(findHierarchies(odd, "0::/x\n")[0]?.own).toBe("/mnt/c g/x");
});
