/** Cases about looking at files: bounded, in a fixed order, and never stuck. */
import { strict as assert } from "node:assert";
import type { ConformanceCase } from "../../core/conformance.ts";
import { Bench, type SandboxSubject } from "./subject.ts";

/** `read`, `glob` and `grep`. */
export const lookingCases: readonly ConformanceCase<SandboxSubject>[] = [
  {
    name: "read numbers lines and shows the range that was asked for",
    async run(subject) {
      await using bench = await Bench.open(subject);
      await bench.run("printf 'one\\ntwo\\nthree' > file; : > empty");
      const read = async (file_path: string, ...view_range: number[]) => {
        const input = view_range.length === 0 ? { file_path } : { file_path, view_range };
        return (await bench.perform("read", input)).output;
      };
      assert.equal(await read("file"), "1\tone\n2\ttwo\n3\tthree\n");
      assert.equal(await read("file", 1, -1), "1\tone\n2\ttwo\n3\tthree\n");
      assert.match(await read("file", 2, 2), /^2\ttwo\n\[.*3 lines/);
      assert.match(await read("file", 3, 99), /^3\tthree\n/);
      assert.match(await read("file", 9, 10), /3 lines/);
      assert.match(await read("empty"), /empty/);
      assert.match(await read("file", 2, 1), /view_range/);
    },
  },
  {
    name: "read refuses what is not an ordinary text file, at once",
    async run(subject) {
      await using bench = await Bench.open(subject);
      await bench.run("mkdir folder; mkfifo pipe; head -c 100 /dev/zero > zeros; ln -s missing dangling");
      const expected: [string, RegExp][] = [
        ["folder", /folder/],
        ["pipe", /not an ordinary file/],
        ["zeros", /binary/],
        ["missing", /does not exist/],
        ["dangling", /does not exist/],
      ];
      for (const [file_path, reason] of expected) {
        const result = await bench.perform("read", { file_path }, { wallMs: 5000 });
        assert.equal(result.ending, "refused", `${file_path}: ${JSON.stringify(result)}`);
        assert.match(result.output, reason);
      }
    },
  },
  {
    name: "read stays within its limit and says how to go on, also in a huge file",
    async run(subject) {
      await using bench = await Bench.open(subject);
      await bench.run(
        "seq 1 100000 > many; head -c 3000000 /dev/zero | tr '\\0' x > wide; yes line | head -c 50000000 > huge",
      );
      const many = await bench.perform("read", { file_path: "many" }, { outputBytes: 1000 });
      assert.ok(Buffer.byteLength(many.output) <= 1000);
      assert.match(many.output, /^1\t1\n2\t2\n/);
      const next = Number(/view_range \[(\d+)/.exec(many.output)?.[1]);
      assert.ok(many.output.includes(`\n${next - 1}\t${next - 1}\n`), many.output.slice(-200));
      assert.match(many.output, /100000 lines/);
      const wide = await bench.perform("read", { file_path: "wide" }, { outputBytes: 10_000 });
      assert.match(wide.output, /^1\tx+ \[\.\.\. \d+ more bytes\]\n/);
      const huge = await bench.perform("read", { file_path: "huge", view_range: [9_000_000, 9_000_001] });
      assert.match(huge.output, /^9000000\tline\n9000001\tline\n/);
      assert.ok(bench.rig.peakMemory() < 200 * 1024 * 1024, "a huge file is not held in memory");
    },
  },
  {
    name: "glob lists files in a fixed order, without .git and node_modules unless asked for",
    async run(subject) {
      await using bench = await Bench.open(subject);
      const files =
        "b.ts a.ts src/a.ts src/deep/z.test.ts .github/c.yml .git/config node_modules/m/i.ts src/[x].md";
      await bench.run(
        `for f in ${files}; do mkdir -p "$(dirname "$f")"; echo x > "$f"; done; ln -s src linked`,
      );
      const glob = async (pattern: string, path?: string) =>
        (await bench.perform("glob", path === undefined ? { pattern } : { pattern, path })).output;
      assert.equal(await glob("**/*.ts"), "a.ts\nb.ts\nsrc/a.ts\nsrc/deep/z.test.ts\n");
      assert.equal(await glob("*.ts"), "a.ts\nb.ts\n");
      assert.equal(await glob("src/**"), "src/[x].md\nsrc/a.ts\nsrc/deep/z.test.ts\n");
      assert.equal(await glob("**/*.{yml,md}"), ".github/c.yml\nsrc/[x].md\n");
      assert.equal(await glob("?.ts", "src"), "src/a.ts\n");
      assert.equal(await glob("[!b].ts"), "a.ts\n");
      assert.equal(await glob("**/*", "node_modules"), "node_modules/m/i.ts\n");
      assert.equal(await glob("*.none"), "No files match.");
    },
  },
  {
    name: "grep lists matching lines in a fixed order and understands the usual shorthands",
    async run(subject) {
      await using bench = await Bench.open(subject);
      await bench.run(
        "mkdir -p b .git node_modules; printf 'x1\\nfoo bar\\n' > b/one; printf 'foo(42)\\n' > a; cp a .git; cp a node_modules; printf 'foo\\0' > bin; ln -s /etc/passwd link",
      );
      const grep = async (pattern: string, path?: string) =>
        (await bench.perform("grep", path === undefined ? { pattern } : { pattern, path })).output;
      assert.equal(await grep("foo"), "a:1:foo(42)\nb/one:2:foo bar\n");
      assert.equal(await grep("\\d+"), "a:1:foo(42)\nb/one:1:x1\n");
      assert.equal(await grep("(?:foo|x)[\\d(]"), "a:1:foo(42)\nb/one:1:x1\n");
      assert.equal(await grep("^\\w+\\s\\w+$", "b"), "b/one:2:foo bar\n");
      assert.equal(await grep("foo", "b/one"), "b/one:2:foo bar\n");
      assert.equal(await grep("root:"), "No lines match.", "links are not followed");
      assert.equal(await grep("-e"), "No lines match.", "a pattern is no option");
      const broken = await bench.perform("grep", { pattern: "(" });
      assert.equal(broken.ending, "refused");
      assert.match(broken.output, /[Uu]nmatched|parenthes/);
    },
  },
  {
    name: "grep looks at every file of a deep and wide tree, whatever the files are called, and at no pipe",
    async run(subject) {
      await using bench = await Bench.open(subject);
      await bench.run(
        "mkdir -p d0/e d1/e d2/e d3/e d4/e d5/e d6/e; for i in $(seq 250); do echo needle > d$((i % 7))/e/f$i; done; mkfifo d1/pipe; mkdir 'a:3:b'; echo needle > 'a:3:b/-x'; echo needle > ' spaces '; mkdir closed; echo needle > closed/f; chmod 000 closed/f",
      );
      const found = async (path: string): Promise<string[]> => {
        const { output } = await bench.perform("grep", { pattern: "needle", path }, { wallMs: 10_000 });
        return output.trimEnd().split("\n");
      };
      const everything = await found(".");
      assert.deepEqual(everything.slice(0, 2), [" spaces :1:needle", "a:3:b/-x:1:needle"]);
      assert.equal(everything.filter((line) => /^d\d\/e\/f\d+:1:needle$/.test(line)).length, 250);
      assert.equal((await found("d1")).length, 36);
      assert.deepEqual(await found("a:3:b/-x"), ["a:3:b/-x:1:needle"]);
    },
  },
  {
    name: "results are bounded, and the same ones each time",
    async run(subject) {
      await using bench = await Bench.open(subject);
      await bench.run("for i in $(seq 1500); do echo needle $i > file-$i; done");
      for (const [operation, pattern] of [
        ["glob", "*"],
        ["grep", "needle"],
      ] as const) {
        const first = await bench.perform(operation, { pattern }, { outputBytes: 2000 });
        const second = await bench.perform(operation, { pattern }, { outputBytes: 2000 });
        assert.ok(Buffer.byteLength(first.output) <= 2000);
        assert.match(first.output, /^file-1[:\n].*[\s\S]*\[only the first \d+ results/);
        assert.equal(second.output, first.output);
        const more = await bench.perform(operation, { pattern });
        assert.match(more.output, /\[only the first 1000 results/);
      }
    },
  },
  {
    name: "no pattern can hang the daemon",
    async run(subject) {
      await using bench = await Bench.open(subject);
      const name = "a".repeat(200);
      await bench.run(
        `for i in $(seq 50); do : > ${name}$i; done; yes ${"a".repeat(60)} | head -c 20000000 > text`,
      );
      const stars = `${"*a".repeat(60)}*b`;
      const glob = await bench.perform(
        "glob",
        { pattern: `${"**/".repeat(40)}${stars}` },
        { wallMs: 10_000 },
      );
      assert.equal(glob.ending, "exited");
      const slow = bench.perform("grep", { pattern: "(a*)*(a*)*\\1\\2b" }, { wallMs: 500 });
      const quick = await bench.perform("glob", { pattern: "text" }, { wallMs: 5000 });
      assert.equal(quick.output, "text\n", "it answers others meanwhile");
      const result = await slow;
      assert.ok(result.ending === "timed_out" || result.ending === "exited", JSON.stringify(result));
      assert.ok(result.durationMs < 5000, `${result.durationMs} ms`);
    },
  },
];
