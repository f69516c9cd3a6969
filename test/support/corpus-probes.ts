/**
 * What is true of the tasks of the calibration's corpus, as programs: each exits with 0 only if all lines of its
 * task's rubric are true of the files it is run in. So the right grades are known, and not only said.
 */

/** By task; `js` runs as a module in node, `py` in Python. */
export const PROBES: {
  readonly [task: string]: { readonly language: "js" | "py"; readonly code: string };
} = {
  slug: js(`
import { slugify } from "./src/slug.js";
for (let n = 40; n < 80; n++) {
  const slug = slugify("Ärger, am " + "a".repeat(n) + " Zürcher Café --");
  assert.match(slug, /^[a-z0-9]+(-[a-z0-9]+)*$/);
  assert(slug.length <= 60 && slug.startsWith("arger-am-a"));
}
assert.equal(slugify("  Ça va?  Très bien! "), "ca-va-tres-bien");
`),
  csv: py(`
from csv_row import parse_row
assert parse_row('a,"b,c",d') == ["a", "b,c", "d"]
assert parse_row('"say ""hi""",x') == ['say "hi"', "x"]
assert parse_row("a,,") == ["a", "", ""]
assert parse_row("") == [""]
`),
  money: py(`
from money import split
for cents in range(0, 500, 7):
    for people in range(1, 12):
        shares = split(cents, people)
        assert sum(shares) == cents and len(shares) == people and max(shares) - min(shares) <= 1
for people in (0, -1):
    try:
        split(100, people)
    except ValueError:
        continue
    raise AssertionError("no ValueError")
`),
  retry: js(`
import { retry } from "./src/retry.js";
import { upload } from "./src/upload.js";
let calls = 0;
const last = await retry(() => Promise.reject(new Error("try " + ++calls)), { tries: 3, delayMs: 1 }).catch((e) => e);
assert.equal(calls, 3);
assert.equal(last?.message, "try 3");
let sent = 0;
assert.equal(await upload(async () => { if (++sent < 2) throw new Error("flaky"); return "ok"; }, "f"), "ok");
`),
  "map-limit": js(`
import { mapLimit } from "./src/map-limit.js";
let now = 0, most = 0;
const work = async (n) => {
  most = Math.max(most, ++now);
  for (let turn = 0; turn < (n * 7) % 5; turn++) await null;
  now--;
  return n * 2;
};
const items = Array.from({ length: 23 }, (_, n) => n);
assert.deepEqual(await mapLimit(items, 3, work), items.map((n) => n * 2));
assert(most <= 3);
assert.deepEqual(await mapLimit([], 3, work), []);
`),
  cache: js(`
import { Cache } from "./src/cache.js";
const cache = new Cache(2);
cache.set("a", 1); cache.set("b", 2); cache.get("a"); cache.set("c", 3);
assert.equal(cache.size, 2);
assert.equal(cache.get("a"), 1);
assert.equal(cache.get("b"), undefined);
`),
  "static-files": js(`
import { fileFor } from "./src/files.js";
assert.equal(fileFor("/srv", "/a.txt"), "/srv/a.txt");
assert.equal(fileFor("/srv", "/"), "/srv/index.html");
for (const address of ["/../etc/passwd", "/%2e%2e/etc/passwd", "/..%2f..%2fetc/passwd", "/%zz", "/../srv2/x"])
  assert.equal(fileFor("/srv", address), null, address);
`),
  "rate-limit": js(`
import { signIn } from "./src/sign-in.js";
const users = { check: () => false };
const at = (client, nowMs) => signIn({ client, name: "n", password: "p", nowMs }, users).status;
for (let n = 0; n < 5; n++) assert.equal(at("a", 1000 + n), 401);
assert.equal(at("a", 1010), 429);
assert.equal(at("b", 1011), 401);
assert.equal(at("a", 70_000), 401);
`),
  users: py(`
import sqlite3
from users import find_user, search
db = sqlite3.connect(":memory:")
db.execute("CREATE TABLE users (id INTEGER, name TEXT)")
db.execute("INSERT INTO users VALUES (1, 'ann')")
assert find_user(db, "ann") == {"id": 1, "name": "ann"}
assert find_user(db, "' OR 1=1 --") is None
assert search(db, "a") == ["ann"]
statements = []
db.set_trace_callback(statements.append)
try:
    search(db, "a", "name LIMIT 0 --")
except Exception:
    pass
assert not any("LIMIT 0" in each for each in statements)
`),
  passwords: py(`
from passwords import store, verify
one, two = store("secret"), store("secret")
assert one.split(":")[0] != two.split(":")[0]
assert verify("secret", one) and not verify("other", one)
`),
  listing: py(`
import contextlib, io, json
from listing import main
def run(*argv):
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
        main(list(argv), ["a", "b", "c"])
    return out.getvalue()
assert run("--limit", "2") == "a\\nb\\n"
assert json.loads(run("--json", "--limit", "1")) == ["a"]
try:
    run("--limit", "-1")
except SystemExit as ending:
    assert ending.code == 2
else:
    raise AssertionError("taken")
`),
  settings: py(`
from settings import load
assert load("missing.json") == {"color": True, "width": 80}
open("some.json", "w").write('{"width": 100}')
assert load("some.json") == {"color": True, "width": 100}
open("bad.json", "w").write("{")
try:
    load("bad.json")
except Exception as error:
    assert "bad.json" in str(error)
else:
    raise AssertionError("no error")
`),
  days: js(`
import { daysIn } from "./src/days.js";
for (const year of [1900, 2000, 2023, 2024, 2100, 2400])
  for (let month = 1; month <= 12; month++)
    assert.equal(daysIn(year, month), new Date(Date.UTC(year, month, 0)).getUTCDate());
for (const month of [0, 13]) assert.throws(() => daysIn(2024, month), RangeError);
`),
  paging: js(`
import { page, pages } from "./src/paging.js";
const items = [1, 2, 3, 4];
assert.deepEqual([1, 2, 3].map((n) => page(items.slice(0, 3), n, 2)), [[1, 2], [3], []]);
assert.deepEqual([pages(items, 2), pages(items, 3), pages([], 3)], [2, 2, 0]);
assert.deepEqual([page(items, 0, 2), page(items, -1, 2)], [[], []]);
`),
};

function js(code: string): { readonly language: "js"; readonly code: string } {
  return { language: "js", code: `import assert from "node:assert";${code}` };
}

function py(code: string): { readonly language: "py"; readonly code: string } {
  return { language: "py", code };
}
