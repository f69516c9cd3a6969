/** Cases about changing files: what is announced is what happens, durably and whole. */
import { strict as assert } from "node:assert";
import { hash } from "node:crypto";
import type { ConformanceCase } from "../../core/conformance.ts";
import type { Json } from "../../core/text.ts";
import { Bench, finished, NEVER, rejects, type SandboxSubject } from "./subject.ts";

const sha256 = (text: string): string => hash("sha256", text, "hex");

async function hashInside(bench: Bench, path: string): Promise<string> {
  return (await bench.output(`sha256sum '${path}'`)).slice(0, 64);
}

/** `write`, `edit` and `prepare`. */
export const fileCases: readonly ConformanceCase<SandboxSubject>[] = [
  {
    name: "prepare says what a write will change, and touches nothing",
    async run(subject) {
      await using bench = await Bench.open(subject);
      const path = "a new/folder/ü.txt";
      const input = { file_path: path, content: "ünï\n" };
      const after = sha256(input.content);
      const fresh = await bench.sandbox.prepare("write", input, NEVER);
      assert.deepEqual(fresh, { status: "prepared", path, before: null, after });
      assert.equal(await bench.output("ls"), "");
      assert.equal((await bench.perform("write", input, { expectedBefore: null })).exitCode, 0);
      assert.equal(await hashInside(bench, path), after);
      const other = { file_path: path, content: "" };
      const again = await bench.sandbox.prepare("write", other, NEVER);
      assert.deepEqual(again, { status: "prepared", path, before: after, after: sha256("") });
      assert.equal((await bench.perform("write", other, { expectedBefore: after })).exitCode, 0);
      assert.equal(await hashInside(bench, path), sha256(""));
    },
  },
  {
    name: "prepare says what an edit will change; once it is made, that it no longer applies and what the file holds",
    async run(subject) {
      await using bench = await Bench.open(subject);
      await bench.perform("write", { file_path: "file", content: "one $& two\r\nthree" });
      const input = { file_path: "file", old_string: "$& two", new_string: "$1 2" };
      const [before, after] = [sha256("one $& two\r\nthree"), sha256("one $1 2\r\nthree")];
      const prepared = await bench.sandbox.prepare("edit", input, NEVER);
      assert.deepEqual(prepared, { status: "prepared", path: "file", before, after });
      assert.equal(await hashInside(bench, "file"), before);
      assert.equal((await bench.perform("edit", input, { expectedBefore: before })).exitCode, 0);
      assert.equal(await hashInside(bench, "file"), after);
      const later = await bench.sandbox.prepare("edit", input, NEVER);
      assert.ok(later.status === "refused" && later.before === after && later.reason !== "");
    },
  },
  {
    name: "a change is refused when the file is not what the intent says, and nothing is touched",
    async run(subject) {
      await using bench = await Bench.open(subject);
      await bench.perform("write", { file_path: "file", content: "now" });
      const changes: [Json, string | null][] = [
        [{ file_path: "file", content: "new" }, sha256("then")],
        [{ file_path: "file", content: "new" }, null],
        [{ file_path: "missing", content: "new" }, sha256("then")],
      ];
      for (const [input, expectedBefore] of changes) {
        const result = await bench.perform("write", input, { expectedBefore });
        assert.equal(result.ending, "refused", JSON.stringify(result));
        assert.equal(result.exitCode, null);
      }
      const edit = { file_path: "file", old_string: "now", new_string: "new" };
      const result = await bench.perform("edit", edit, { expectedBefore: sha256("then") });
      assert.equal(result.ending, "refused");
      assert.equal(await bench.output("ls -A; cat file"), "file\nnow");
    },
  },
  {
    name: "the same write is made once, however often it is sent",
    async run(subject) {
      await using bench = await Bench.open(subject);
      const request = bench.request(
        "write",
        { file_path: "file", content: "mine" },
        { expectedBefore: null },
      );
      const reply = await bench.ask(request);
      await bench.run("echo theirs > file");
      assert.deepEqual(await bench.ask(request), reply);
      assert.equal(await bench.output("cat file"), "theirs\n");
      await rejects(bench.ask({ ...request, expectedBefore: sha256("x") }), "E_EXEC_MISMATCH");
    },
  },
  {
    name: "edits that cannot work are refused with a text that helps",
    async run(subject) {
      await using bench = await Bench.open(subject);
      await bench.run(
        "printf 'a\\r\\nb\\r\\na\\r\\n' > crlf; printf '\\377\\0' > binary; mkdir folder; mkfifo pipe",
      );
      const edits: [string, string, string, RegExp][] = [
        ["crlf", "z", "y", /does not occur/],
        ["crlf", "a\nb", "y", /\\r\\n/],
        ["crlf", "a", "y", /2 times/],
        ["crlf", "", "y", /empty/],
        ["crlf", "a", "a", /the same/],
        ["binary", "a", "b", /not UTF-8/],
        ["folder", "a", "b", /folder/],
        ["pipe", "a", "b", /not an ordinary file/],
        ["missing", "a", "b", /does not exist/],
        ["crlf/below", "a", "b", /not a folder/],
      ];
      for (const [file_path, old_string, new_string, expected] of edits) {
        const result = await bench.perform("edit", { file_path, old_string, new_string });
        assert.equal(result.ending, "refused", `${file_path}: ${JSON.stringify(result)}`);
        assert.match(result.output, expected);
      }
      const all = { file_path: "crlf", old_string: "a", new_string: "c", replace_all: true };
      assert.equal((await bench.perform("edit", all)).exitCode, 0);
      assert.equal(await bench.output("cat crlf"), "c\r\nb\r\nc\r\n");
    },
  },
  {
    name: "a change keeps the file's mode and goes through links that stay inside",
    async run(subject) {
      await using bench = await Bench.open(subject);
      await bench.run(
        "mkdir real; echo old > real/tool; chmod 751 real/tool; ln -s real/tool link; ln -s new dangling",
      );
      await bench.perform("write", { file_path: "link", content: "new\n" });
      await bench.perform("write", { file_path: "dangling", content: "made\n" });
      const seen = await bench.output(
        "stat -c %a real/tool; cat real/tool; readlink link; cat new; ls -A . real",
      );
      assert.equal(seen, "751\nnew\nreal/tool\nmade\n.:\ndangling\nlink\nnew\nreal\n\nreal:\ntool\n");
    },
  },
  {
    name: "paths that lead outside the workspace are refused by every operation on files",
    async run(subject) {
      await using bench = await Bench.open(subject);
      const root = (await bench.output("pwd")).trim();
      await bench.run(
        "ln -s / out; ln -s /etc/passwd secret; ln -s /tmp/nightshift-conformance-escape dangling; ln -s loop loop",
      );
      const outside = ["..", "../x", "/etc/passwd", "a/../../x", `${root}-other/x`];
      const links = ["out/etc/passwd", "out", "secret", "dangling", "loop"];
      for (const path of [...outside, ...links]) {
        const inputs: [Parameters<Bench["perform"]>[0], Json][] = [
          ["read", { file_path: path }],
          ["write", { file_path: path, content: "escaped" }],
          ["edit", { file_path: path, old_string: "root", new_string: "escaped" }],
          ["glob", { pattern: "*", path }],
          ["grep", { pattern: "root", path }],
        ];
        for (const [operation, input] of inputs) {
          const result = await bench.perform(operation, input);
          assert.equal(result.ending, "refused", `${operation} ${path}: ${JSON.stringify(result)}`);
          assert.match(result.output, /outside the workspace|links/);
        }
        const prepared = await bench.sandbox.prepare("write", { file_path: path, content: "" }, NEVER);
        assert.equal(prepared.status, "refused");
      }
      await bench.run("test ! -e /tmp/nightshift-conformance-escape");
      const inside = await bench.perform("write", { file_path: `${root}/inside`, content: "fine" });
      assert.equal(inside.exitCode, 0, "absolute paths inside are fine");
    },
  },
  {
    name: "changes of one moment follow each other",
    async run(subject) {
      await using bench = await Bench.open(subject);
      await bench.perform("write", { file_path: "file", content: "0" });
      const replies = await Promise.all(
        Array.from({ length: 20 }, () =>
          bench.ask(
            bench.request("write", { file_path: "file", content: "1" }, { expectedBefore: sha256("0") }),
          ),
        ),
      );
      const endings = replies.map((reply) => finished(reply).ending);
      assert.equal(endings.filter((ending) => ending === "exited").length, 1, endings.join());
    },
  },
];
