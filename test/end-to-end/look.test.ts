import { existsSync, openSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Place } from "./place.ts";

let place: Place;
beforeEach(() => {
  place = new Place();
});
afterEach(() => place[Symbol.asyncDispose]());

async function rest(title: string, text = "All right."): Promise<string> {
  const model = place.script({ turns: [{ text }] });
  const words = ["run", "hello", "--title", title, "--model", model, "--tools", "none"];
  return String((await place.json(words)).session_id);
}

describe("list", () => {
  test("shows the newest first, page by page", async () => {
    const sessions = [await rest("one"), await rest("two"), await rest("three")];
    const first = await place.json(["list", "--limit", "2"]);
    expect(first.sessions).toMatchObject([
      { session_id: sessions[2], title: "three", standing: "end_turn", requests: 1, driver_pid: null },
      { session_id: sessions[1], title: "two" },
    ]);
    const second = await place.json(["list", "--limit", "2", "--after", String(first.next_after)]);
    expect(second).toMatchObject({ sessions: [{ session_id: sessions[0] }], next_after: null });
    const { stdout, stderr } = await place.run(["list", "--limit", "2"]);
    expect(stdout.trim().split("\n")).toHaveLength(2);
    expect(stdout).toMatch(/end_turn {6} +1 req .* three\n/);
    expect(stderr).toContain(`next: nightshift list --after ${sessions[1]}`);
  });

  test("makes nothing where nothing is", async () => {
    expect((await place.run(["list"])).stdout).toBe("no sessions yet\n");
    expect(await place.json(["list"])).toEqual({ sessions: [], next_after: null });
    expect((await place.run(["status"])).stdout).toContain("nothing there yet");
    const state_folder = place.state;
    expect(await place.json(["status"])).toEqual({ state_folder, due: [], next_due_at: null, recent: [] });
  });
});

describe("sessions are named", () => {
  test("by the beginning of their id, or not at all for the newest", async () => {
    const session = await rest("only");
    for (const name of [session, session.slice(0, 12), session.slice(5, 14)])
      expect((await place.json(["status", name])).session_id).toBe(session);
    expect((await place.run(["logs"])).stdout).toContain("All right.");
  });

  test("by enough of it", async () => {
    await rest("one");
    await rest("two");
    const { code, stderr } = await place.run(["status", "sesn_0"]);
    expect(stderr).toMatch(
      /error\[E_USAGE\]: 2 sessions begin with sesn_0: sesn_\w+, sesn_\w+\nnext: Give more/,
    );
    expect(code).toBe(2);
  });

  test("and others are not known to any command", async () => {
    await rest("one");
    const more: { readonly [command: string]: readonly string[] } = { send: ["text"], approve: ["c1_0"] };
    const commands = [
      "status",
      "resume",
      "send",
      "interrupt",
      "pause",
      "stop",
      "logs",
      "events",
      "fsck",
      "fork",
    ];
    const endings = await Promise.all(
      [...commands, "approve"].map((name) => place.run([name, "sesn_zzzzzzzzz", ...(more[name] ?? [])])),
    );
    for (const { code, stdout, stderr } of endings) {
      expect(stderr).toMatch(/^error\[E_SESSION_UNKNOWN\]: there is no session sesn_zzzzzzzzz\nnext: /);
      expect(stdout).toBe("");
      expect(code).toBe(2);
    }
  });
});

describe("events and logs", () => {
  test("events prints whole events in order, from any position and of any type", async () => {
    const session = await rest("one");
    const all = await place.events(session);
    expect(all[0]).toMatchObject({ seq: 1, type: "session.created", id: `sevt_${session.slice(5)}_1` });
    const some = await place.run([
      "events",
      session,
      "--json",
      "--after",
      "2",
      "--types",
      "agent.message,session.status_idle",
    ]);
    const types = some.stdout
      .trim()
      .split("\n")
      .map((line) => (JSON.parse(line) as { type: string }).type);
    expect(types).toEqual(["agent.message", "session.status_idle"]);
    const plain = await place.run(["events", session, "--tail", "1"]);
    expect(plain.stdout).toMatch(/^ +\d+ \d\d:\d\d:\d\d session\.status_idle +\{"stop_reason"/);
    const wrong = await place.run(["events", session, "--types", "agent.nonsense"]);
    expect(wrong.stderr).toMatch(/no event type "agent\.nonsense"[\s\S]*agent\.message/);
    expect(wrong.code).toBe(2);
  });

  test("logs -f shows what comes, from another process", async () => {
    const session = await rest("one", "First answer.");
    place.script({ turns: [{ text: "First answer." }, { text: "Second answer." }] });
    const following = place.start(["logs", session, "-f"]);
    await following.says(/First answer\./);
    await place.run(["send", session, "again"]);
    await place.run(["resume", session]);
    await following.says(/you {6}again[\s\S]*Second answer\./);
    following.child.kill("SIGINT");
    expect((await following.ended).code).toBe(0);
  });

  test("what cannot be written because a disk is full is no success", async (context) => {
    if (!existsSync("/dev/full")) context.skip();
    await rest("one");
    const child = place.start(["list"], { stdout: openSync("/dev/full", "w") });
    const { code, stderr } = await child.ended;
    expect(stderr).toMatch(/^error\[E_OUTPUT_LOST\]: .*\nnext: .*disk/);
    expect(code).toBe(69);
  });

  test("a reader that goes away ends it quietly", async () => {
    const session = await rest("one");
    const following = place.start(["events", session, "--json", "-f"]);
    await following.says(/session\.created/);
    following.child.stdout?.destroy();
    await place.run(["send", session, "again"]);
    const { code, signal, stderr } = await following.ended;
    expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: "" });
  });

  test("nothing that an agent says reaches the terminal as a command to it", async () => {
    const session = await rest(
      "\u001b]0;owned\u0007title",
      "\u001b[2J\u001b[31mred\u009b1m \u202ereversed\u0000 end",
    );
    for (const words of [["logs", session], ["status", session], ["list"], ["events", session]]) {
      const { stdout } = await place.run(words);
      expect(stdout, words.join(" ")).toMatch(/^[\n\x20-\x7e\u00a0-\u2027\u2030-\u2060]*$/);
    }
    expect((await place.run(["logs", session])).stdout).toContain("agent    red reversed end");
  });
});
