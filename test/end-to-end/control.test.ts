import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ScriptTurn } from "../../src/model/script-schema.ts";
import type { DaemonRecord } from "../../src/sandbox/daemon/record.ts";
import { bodiesOf, eventually, Place, type Running } from "./place.ts";

let place: Place;
beforeEach(() => {
  place = new Place();
});
afterEach(() => place[Symbol.asyncDispose]());

/** A command that leaves a line each time it runs, and then takes as long as it is told. */
function counting(seconds: number): ScriptTurn {
  return {
    tools: [{ name: "bash", input: { command: `echo ran >> count.txt; sleep ${seconds}; echo over` } }],
  };
}

function count(): number {
  try {
    return readFileSync(join(place.project, "count.txt"), "utf8").split("\n").length - 1;
  } catch {
    return 0;
  }
}

/** An answer that takes some seconds. */
const SLOW: ScriptTurn = { text: "word ".repeat(50), chunk_chars: 5, chunk_delay_ms: 50 };

interface Started {
  readonly running: Running;
  readonly session: string;
}

async function start(turns: readonly ScriptTurn[], ...flags: readonly string[]): Promise<Started> {
  const running = place.start(["run", "go", "--model", place.script({ turns: [...turns] }), ...flags]);
  const session = await running.says(/session {2}(sesn_\w+)/);
  return { running, session };
}

describe("signals", () => {
  test.each([
    ["SIGINT", 130, "paused", 1, 6, ["resume"]],
    ["SIGTERM", 143, "left", 0, 3, ["resume", "--all"]],
    ["SIGHUP", 129, "left", 0, 3, ["resume"]],
  ] as const)(
    "%s in a tool (exit %i): %s, nothing is lost, and resume picks the result up",
    async (signal, code, word, pauses, seconds, resume) => {
      const { running, session } = await start([counting(seconds), { text: "Finished." }]);
      await eventually(() => count() === 1, "the command");
      running.child.kill(signal);
      const ending = await running.ended;
      expect(ending.code).toBe(code);
      expect(ending.stderr).toContain(`${word}, nothing lost; a command goes on in its sandbox`);
      expect(ending.stderr).toContain(`next: nightshift resume ${session}`);
      const resumed = await place.run([...resume]);
      expect(resumed.code, resumed.stderr).toBe(0);
      expect((await place.run(["logs", session])).stdout).toMatch(
        /bash {5}ok, .* \| over\n[\s\S]*Finished\./,
      );
      expect(count()).toBe(1);
      expect(bodiesOf(await place.events(session), "control.pause")).toHaveLength(pauses);
      await place.expectSound();
    },
  );

  test("a pause that can be carried out at once is", async () => {
    const { running, session } = await start([counting(1), { text: "Never said." }]);
    await eventually(() => count() === 1, "the command");
    running.child.kill("SIGINT");
    expect((await running.ended).code).toBe(130);
    const status = await place.json(["status", session]);
    expect(status).toMatchObject({ standing: "held", hold: "paused", driver: null });
    expect((await place.run(["resume"])).code).toBe(0);
  });

  test("the second signal leaves at once", async () => {
    const { running } = await start([counting(20)]);
    await eventually(() => count() === 1, "the command");
    running.child.kill("SIGINT");
    await running.says(/pausing/);
    running.child.kill("SIGINT");
    expect((await running.ended).code).toBe(130);
  });

  test("kill -9 in the middle of an answer: status says that nobody drives, resume asks again", async () => {
    const { running, session } = await start([SLOW, { text: "unused" }], "--tools", "none");
    await place.hasEvent(session, "span.model_request_start");
    running.child.kill("SIGKILL");
    await running.ended;
    const status = await place.run(["status", session]);
    expect(status.stdout).toMatch(/stands {3}waits for the model .*, but its process is gone; due since/);
    expect(status.stderr).toContain(`next: nightshift resume ${session}`);
    expect((await place.run(["status"])).stderr).toContain("next: nightshift resume --all");
    const resumed = await place.run(["resume", "--all", "--json"]);
    expect(JSON.parse(resumed.stdout)).toEqual({ session_id: session, status: "end_turn" });
    expect(resumed.code).toBe(0);
    const events = await place.events(session);
    const outcomes = bodiesOf(events, "span.model_request_end").map(({ outcome }) => outcome);
    expect(outcomes).toEqual(["lost", "answered"]);
    expect((await place.run(["resume", "--all"])).stdout).toContain("nothing is due");
    await place.expectSound();
  });
});

describe("a second process beside a run", () => {
  test("pauses it and lets it go on", async () => {
    const { running, session } = await start([counting(1), { text: "The end." }]);
    await eventually(() => count() === 1, "the command");
    const said = await place.run(["pause", session, "--reason", "lunch"]);
    expect(said.stdout).toMatch(/^pause asked for; process \d+ drives/);
    const ending = await running.ended;
    expect(ending.code).toBe(130);
    expect(ending.stdout).toMatch(/you {6}pause: lunch[\s\S]*idle {5}paused/);
    const resumed = await place.run(["resume", session]);
    expect(resumed.code).toBe(0);
    expect(resumed.stdout).toMatch(/stands {3}paused\n[\s\S]*The end\./);
  });

  test("stops it: the command is killed, and the receipt says so", async () => {
    const { running, session } = await start([counting(60), { text: "Then I leave it." }]);
    await eventually(() => count() === 1, "the command");
    await place.run(["stop", session]);
    expect((await running.ended).code).toBe(130);
    const results = bodiesOf(await place.events(session), "agent.tool_result");
    expect(results).toMatchObject([{ ending: "cancelled", in_doubt: false }]);
    const sent = await place.run(["send", session, "leave", "it"]);
    expect(sent.stdout).toContain("nobody drives");
    const resumed = await place.run(["resume", session]);
    expect(resumed.code).toBe(0);
    expect(resumed.stdout).toMatch(/1 message not picked up yet, due since[\s\S]*Then I leave it\./);
  });

  test("a stop that nobody was there to carry out is lifted by the first resume", async () => {
    const { running, session } = await start([counting(60), { text: "Then I leave it." }]);
    await eventually(() => count() === 1, "the command");
    running.child.kill("SIGKILL");
    await running.ended;
    expect((await place.run(["stop", session])).stderr).toContain(`next: nightshift resume ${session}`);
    const resumed = await place.run(["resume", session]);
    expect(resumed.code, resumed.stdout).toBe(0);
    expect(resumed.stdout).toMatch(/stands {3}stop asked for[\s\S]*Then I leave it\./);
    const results = bodiesOf(await place.events(session), "agent.tool_result");
    expect(results).toMatchObject([{ ending: "cancelled", in_doubt: false }]);
  });

  test("cancels it for good", async () => {
    const { running, session } = await start([counting(60)]);
    await eventually(() => count() === 1, "the command");
    await place.run(["stop", session, "--cancel"]);
    expect((await running.ended).code).toBe(130);
    expect((await place.json(["status", session])).standing).toBe("over");
    for (const words of [
      ["send", session, "hello"],
      ["resume", session],
      ["pause", session],
    ]) {
      const { code, stderr } = await place.run(words);
      expect(stderr).toMatch(/^error\[E_SESSION_TERMINATED\]/m);
      expect(code).toBe(2);
    }
    await place.expectSound();
  });

  test("sends messages, which join the next request", async () => {
    const { running, session } = await start([counting(2), { text: "Both done." }]);
    await eventually(() => count() === 1, "the command");
    await place.run(["send", session, "and tidy up"]);
    expect((await running.ended).code).toBe(0);
    const events = await place.events(session);
    expect(bodiesOf(events, "span.model_request_start")).toHaveLength(2);
    expect(bodiesOf(events, "harness.input_accepted")).toHaveLength(2);
  });

  test("interrupts an answer with what it sends", async () => {
    const { running, session } = await start([SLOW, { text: "As you say." }], "--tools", "none");
    await place.hasEvent(session, "span.model_request_start");
    await place.run(["send", session, "no, stop", "--steering", "interrupt"]);
    expect((await running.ended).code).toBe(0);
    const ends = bodiesOf(await place.events(session), "span.model_request_end");
    expect(ends.map(({ outcome }) => outcome)).toEqual(["interrupted", "answered"]);
  });

  test("is refused when the policy is to reject", async () => {
    const { running, session } = await start([counting(2)], "--steering", "reject");
    await eventually(() => count() === 1, "the command");
    const { code, stderr } = await place.run(["send", session, "hello"]);
    expect(stderr).toMatch(/^error\[E_SESSION_BUSY\]/);
    expect(code).toBe(2);
    expect((await running.ended).code).toBe(0);
  });

  test("watches with resume while another drives, and takes over when that one dies", async () => {
    const { running, session } = await start([counting(4), { text: "Seen by the second." }]);
    await eventually(() => count() === 1, "the command");
    const second = place.start(["resume", session]);
    await second.says(/stands {3}runs bash; process \d+ drives it/);
    running.child.kill("SIGKILL");
    const ending = await second.ended;
    expect(ending.code, ending.stderr).toBe(0);
    expect(ending.stdout).toContain("Seen by the second.");
    expect(count()).toBe(1);
    expect(bodiesOf(await place.events(session), "harness.woke")).toHaveLength(2);
  });
});

test("retry begins a new attempt from a fresh context", async () => {
  const { running, session } = await start([counting(0), { text: "Done?" }]);
  expect((await running.ended).code).toBe(0);
  const said = await place.run(["retry", session, "--reason", "wrong way"]);
  expect(said.stdout).toMatch(/^a new attempt asked for; nobody drives/);
  const resumed = await place.run(["resume", session]);
  expect(resumed.code, resumed.stderr).toBe(0);
  expect(resumed.stdout).toMatch(/context {2}reset \(asked\)[\s\S]*new thread \(reset\)[\s\S]*Done\?/);
});

describe("a process that only watches", () => {
  test("leaves at Ctrl-C without a word to the session", async () => {
    const { running, session } = await start([counting(3), { text: "Undisturbed." }]);
    await eventually(() => count() === 1, "the command");
    const watching = place.start(["resume", session]);
    await watching.says(/drives it/);
    watching.child.kill("SIGINT");
    expect((await watching.ended).code).toBe(130);
    const ending = await running.ended;
    expect(ending.code).toBe(0);
    expect(ending.stdout).toContain("Undisturbed.");
    expect(bodiesOf(await place.events(session), "control.pause")).toEqual([]);
  });
});

describe("events from a program", () => {
  const message = { type: "user.message", body: { content: [{ type: "text", text: "from a program" }] } };

  async function session(): Promise<string> {
    const words = ["run", "go", "--model", place.script({ turns: [{ text: "Yes." }] }), "--tools", "none"];
    return String((await place.json(words)).session_id);
  }

  test("are stored, all or none", async () => {
    const id = await session();
    const { code, stderr } = await place.run(["submit", id], { input: JSON.stringify([message, message]) });
    expect(code, stderr).toBe(0);
    expect(bodiesOf(await place.events(id), "user.message")).toHaveLength(3);
  });

  test.each([
    ["{", "E_EVENT_INVALID", "not JSON"],
    ["[]", "E_EVENT_INVALID", "must not be empty"],
    [JSON.stringify([message, { ...message, body: {} }]), "E_EVENT_INVALID", "events[1].body.content"],
    [JSON.stringify([{ ...message, more: 1 }]), "E_EVENT_INVALID", "events[0].more"],
    [JSON.stringify([{ type: "agent.message", body: {} }]), "E_EVENT_FORBIDDEN", "agent.message"],
  ])("%s is refused, and the log is as it was", async (input, errorCode, message) => {
    const id = await session();
    const before = await place.events(id);
    const { code, stderr } = await place.run(["submit", id], { input });
    expect(stderr).toContain(`error[${errorCode}]`);
    expect(stderr).toContain(message);
    expect(code).toBe(2);
    expect(await place.events(id)).toEqual(before);
  });
});

describe("calls that wait for a person", () => {
  /** The outcome of a push is unknown when its daemon dies; nobody repeats it unasked. */
  async function untilAsked(): Promise<string> {
    const command = "echo ran >> count.txt; sleep 60; git push origin main";
    const turns = [{ tools: [{ name: "bash", input: { command } }] }, { text: "I see." }];
    const { running, session } = await start(turns);
    await eventually(() => count() === 1, "the command");
    running.child.kill("SIGKILL");
    await running.ended;
    killDaemon();
    const asked = await place.run(["resume", session]);
    expect(asked.code, asked.stderr).toBe(4);
    expect(asked.stderr).toContain(`next: nightshift approve ${session} c1_0`);
    return session;
  }

  function killDaemon(): void {
    const path = join(place.state, "sandboxes/process");
    const [name = ""] = readdirSync(path);
    const record = JSON.parse(readFileSync(join(path, name, "daemon.json"), "utf8")) as DaemonRecord;
    process.kill(record.process.pid, "SIGKILL");
  }

  test("deny: the model hears why, and it is not run again", async () => {
    const session = await untilAsked();
    const denied = await place.run(["deny", session, "c1_0", "--reason", "not tonight"]);
    expect(denied.code, denied.stderr).toBe(0);
    expect((await place.run(["resume", session])).code).toBe(0);
    expect(count()).toBe(1);
    expect(JSON.stringify(bodiesOf(await place.events(session), "agent.tool_result"))).toContain(
      "not tonight",
    );
  });

  test("a call that does not wait cannot be approved", async () => {
    const session = await untilAsked();
    const { code, stderr } = await place.run(["approve", session, "c9_9"]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/does not ask about c9_9\nnext: It asks about c1_0\./);
  });
});
