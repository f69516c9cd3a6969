import { spawnSync } from "node:child_process";
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, type TestContext, test } from "vitest";
import { Place } from "./place.ts";

const NOBODY = 65_534;

let place: Place;
beforeEach(() => {
  place = new Place();
});
afterEach(() => place[Symbol.asyncDispose]());

async function rest(): Promise<string> {
  const look = { tools: [{ name: "glob", input: { pattern: "*" } }] };
  const model = place.script({ turns: [look, look, { text: "All right." }] });
  return String((await place.json(["run", "hello", "--model", model])).session_id);
}

function needsRoot(context: TestContext): void {
  if (process.getuid?.() !== 0) context.skip("only root can act as another user");
}

describe("the state folder", () => {
  test("of a newer release is refused and left alone", async () => {
    const session = await rest();
    const path = join(place.state, "log.db");
    const database = new DatabaseSync(path);
    database.exec("PRAGMA user_version = 999");
    database.close();
    const before = readFileSync(path);
    for (const words of [
      ["status"],
      ["list"],
      ["resume", session],
      ["logs", session],
      ["send", session, "x"],
    ]) {
      const { code, stderr } = await place.run(words);
      expect(stderr, words.join(" ")).toMatch(/^error\[E_STORE_NEWER\]: .*\nnext: .*upgrade/);
      expect(code).toBe(2);
    }
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  test("that cannot be written to", async (context) => {
    needsRoot(context);
    await rest();
    chownSync(place.folder, NOBODY, NOBODY);
    chmodSync(place.state, 0o555);
    for (const path of ["log.db", "heads"]) chmodSync(join(place.state, path), 0o444);
    const { code, stderr } = await place.run(["list"], { uid: NOBODY });
    expect(stderr).toMatch(/^error\[E_STORE_READ_ONLY\]: .*\nnext: .*--state/);
    expect(code).toBe(2);
    const doctor = await place.run(["doctor"], { uid: NOBODY });
    expect(doctor.stdout).toMatch(/FAIL store/);
    expect(doctor.code).toBe(69);
  });

  test("that cannot be made", async (context) => {
    needsRoot(context);
    chownSync(place.folder, NOBODY, NOBODY);
    const { code, stderr } = await place.run(["run", "x", "--model", place.script({ turns: [] })], {
      uid: NOBODY,
      env: { NIGHTSHIFT_STATE: "/nightshift-cannot-be-made" },
    });
    expect(stderr).toMatch(/^error\[E_STORE_READ_ONLY\]: /m);
    expect(code).toBe(2);
  });

  test("on a full disk: a code, a sound log, and it goes on when there is room", async (context) => {
    needsRoot(context);
    mkdirSync(place.state);
    const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=1500k", "none", place.state]);
    if (mounted.status !== 0) context.skip("this system mounts nothing here");
    try {
      const print = { tools: [{ name: "bash", input: { command: "head -c 90000 /dev/urandom | base64" } }] };
      const model = place.script({
        turns: [...Array<typeof print>(12).fill(print), { text: "Had enough room." }],
      });
      const full = await place.run(["run", "print", "--model", model]);
      expect(full.stderr).toMatch(/^error\[E_STORE_FULL\]: .*\nnext: Free some disk space/m);
      expect(full.code).toBe(69);
      await place.expectSound();
      spawnSync("mount", ["-o", "remount,size=50m", place.state]);
      const resumed = await place.run(["resume"]);
      expect(resumed.code, resumed.stdout + resumed.stderr).toBe(0);
      expect(resumed.stdout).toContain("Had enough room.");
      await place.expectSound();
    } finally {
      spawnSync("umount", ["--lazy", place.state]);
    }
  });

  test("that is a file", async () => {
    writeFileSync(place.state, "");
    const { code, stderr } = await place.run(["run", "x", "--model", place.script({ turns: [] })]);
    expect(stderr).toMatch(/^error\[E_CONFIG\]: .*a file is in its place\nnext: .*--state/m);
    expect(code).toBe(2);
  });

  test("is one per repository, outside of it, for all its worktrees and subfolders", async () => {
    const env = { NIGHTSHIFT_STATE: undefined, XDG_STATE_HOME: join(place.folder, "xdg") };
    mkdirSync(join(place.project, ".git/objects"), { recursive: true });
    mkdirSync(join(place.project, ".git/refs"));
    writeFileSync(join(place.project, ".git/HEAD"), "ref: refs/heads/main\n");
    mkdirSync(join(place.project, "deep/er"), { recursive: true });
    const here = await place.json(["status"], { env });
    expect(here.state_folder).toMatch(/xdg\/nightshift\/project-[0-9a-f]{12}$/);
    expect(await place.json(["status", "-C", "deep/er"], { env })).toEqual(here);
    expect(existsSync(join(place.folder, "xdg"))).toBe(false);
  });
});

describe("damage", () => {
  /** Changes a byte of the text of an event in the database. */
  function damage(): void {
    const path = join(place.state, "log.db");
    const database = new DatabaseSync(path);
    database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    database.close();
    const bytes = readFileSync(path);
    const at = bytes.indexOf('"text":"All right."');
    expect(at).toBeGreaterThan(0);
    bytes[at + 9] = "B".charCodeAt(0);
    writeFileSync(path, bytes);
  }

  test("fsck names the first bad event, exits with 70 and writes nothing", async () => {
    const session = await rest();
    expect((await place.run(["fsck", session])).stdout).toMatch(
      /^ok {3}sesn_\w+ {2}\d+ events\n {5}head \d+:[0-9a-f]{64}\n$/,
    );
    damage();
    const before = statSync(join(place.state, "log.db")).mtimeMs;
    const { code, stdout, stderr } = await place.run(["fsck"]);
    expect(code).toBe(70);
    expect(stdout).toMatch(/BAD {2}sesn_\w+ {2}sound up to event (\d+) of \d+\n.*E_LOG_CORRUPT at event \d+/);
    expect(stderr).toContain(`next: nightshift fsck ${session} --fork`);
    expect(statSync(join(place.state, "log.db")).mtimeMs).toBe(before);
    const logs = await place.run(["logs", session]);
    expect(logs.stderr).toMatch(/error\[E_LOG_CORRUPT\]/);
    expect(logs.code).toBe(70);
  });

  test("fsck --fork goes on in a new session", async () => {
    const session = await rest();
    damage();
    const forked = await place.run(["fsck", session, "--fork"]);
    const copy = /forked {3}(sesn_\w+)/.exec(forked.stdout)?.[1] ?? "";
    expect(copy, forked.stdout + forked.stderr).not.toBe("");
    const resumed = await place.run(["resume", copy]);
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(resumed.stdout).toContain("All right.");
    expect((await place.run(["fsck", copy])).code).toBe(0);
  });

  test("of one session does not hold up the others", async () => {
    const damaged = await rest();
    const sound = await rest();
    for (const session of [damaged, sound]) await place.run(["send", session, "again"]);
    damage();
    const { code, stdout, stderr } = await place.run(["resume", "--all"]);
    expect(stderr).toMatch(new RegExp(`${damaged} {2}error\\[E_LOG_CORRUPT\\]`));
    expect(stdout).toContain(`${sound}  end_turn`);
    expect(code).toBe(70);
  });

  test("of one session hides no other from whoever looks what there is to do", async () => {
    const damaged = await rest();
    const asking = place.script({
      turns: [
        { text: "One thing.", tools: [{ name: "ask", input: { text: "Which colour?" } }] },
        { text: "Fine." },
      ],
    });
    const other = await place.run(["run", "--sandbox", "process", "--model", asking, "paint it"]);
    const question = /asks +(q\d+_\d+)/.exec(other.stdout)?.[1] ?? "";
    damage();
    const status = await place.run(["status"]);
    expect(status.code, status.stderr).toBe(0);
    expect(status.stdout.replace(/\s+/g, " ")).toContain(
      `${damaged} damaged (E_LOG_CORRUPT); nightshift fsck ${damaged}`,
    );
    const inbox = await place.run(["inbox"]);
    expect(inbox.code, inbox.stderr).toBe(0);
    expect(inbox.stdout).toContain("Which colour?");
    expect(inbox.stdout).toMatch(new RegExp(`is damaged:[^]*nightshift fsck ${damaged}\n`));
    const answered = await place.run(["answer", question, "blue"]);
    expect(answered.code, answered.stderr).toBe(0);
  });

  test("a head that was kept elsewhere is compared", async () => {
    const session = await rest();
    const { head } = await place.json(["status", session]);
    expect((await place.run(["fsck", session, "--head", String(head)])).code).toBe(0);
    const forged = String(head).replace(/[0-9a-f]$/, (digit) => (digit === "0" ? "1" : "0"));
    const { code, stdout } = await place.run(["fsck", session, "--head", forged]);
    expect(code).toBe(70);
    expect(stdout).toContain("BAD");
    expect((await place.run(["fsck", session, "--head", "nonsense"])).code).toBe(2);
    expect((await place.run(["fsck", "--head", String(head)])).code).toBe(2);
  });

  test("fork copies the beginning of a session", async () => {
    const session = await rest();
    const result = await place.json(["fork", session, "--at", "2"]);
    expect(result).toMatchObject({ at_seq: 2, seq: 3 });
    const resumed = await place.run(["resume", String(result.session_id)]);
    expect(resumed.code, resumed.stderr).toBe(0);
    expect((await place.run(["fork", session, "--at", "9999"])).stderr).toMatch(
      /E_LOG_CORRUPT.*\nnext: .*fork there/,
    );
    await place.expectSound();
  });

  test("erase removes a text for good, and the chain still holds", async () => {
    const session = await rest();
    const event = (await place.events(session)).find(({ type }) => type === "agent.message");
    const erased = await place.run(["erase", session, String(event?.seq), "--reason", "leaked"]);
    expect(erased.code, erased.stderr).toBe(0);
    expect(JSON.stringify(await place.events(session))).not.toContain("All right.");
    await place.expectSound();
  });
});
