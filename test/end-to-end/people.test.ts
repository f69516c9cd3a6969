import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Place } from "./place.ts";

let place: Place;
beforeEach(() => {
  place = new Place();
});
afterEach(() => place[Symbol.asyncDispose]());

interface Item {
  readonly kind: string;
  readonly item: string;
  readonly detail: string;
  readonly action: readonly string[];
  readonly choices: readonly string[];
  readonly otherwise: string;
  readonly hash: string | null;
  readonly age_ms: number;
  readonly expires_at: number | null;
  readonly answer: readonly string[];
}

const ask = (input: { readonly [field: string]: string | number | readonly string[] }) => ({
  name: "ask",
  input: { ...input },
});

const inboxOf = async (session: string): Promise<readonly Item[]> =>
  (await place.json(["inbox", session])) as unknown as readonly Item[];

const results = async (session: string): Promise<string[]> =>
  (await place.events(session))
    .filter(({ type }) => type === "agent.tool_result")
    .map(({ body }) => String((body as { content: { text: string }[] }).content[0]?.text));

describe("questions", () => {
  test("park the run, are listed, answered in any order, and the work goes on", async () => {
    const model = place.script({
      turns: [
        {
          tools: [
            ask({ text: "Which colour?", choices: ["red", "blue"] }),
            ask({ text: "When?", default: "tomorrow" }),
          ],
        },
        { text: "Thanks." },
      ],
    });
    const asked = await place.run(["run", "paint it", "--model", model]);
    expect(asked.code, asked.stderr).toBe(4);
    const session = /(sesn_\w+)/.exec(asked.stdout)?.[1] ?? "";
    expect(asked.stdout).toContain("asks     q1_0: Which colour?");
    expect(asked.stderr).toContain(`next: nightshift answer ${session} q1_0`);

    const [colour, when] = await inboxOf(session);
    expect(colour).toMatchObject({
      kind: "question",
      item: "q1_0",
      choices: ["red", "blue"],
      expires_at: null,
    });
    expect(when).toMatchObject({ item: "q1_1", otherwise: '"tomorrow" counts' });
    expect((await place.run(["inbox"])).stdout).toMatch(/q1_0: Which colour\?\n +1 {2}red\n +2 {2}blue\n/);

    expect((await place.run(["answer", session, "blue"])).stderr).toContain(
      "several questions could be meant",
    );
    expect((await place.run(["answer", session, "q1_0", "3"])).stderr).toContain("choices 1 to 2");
    expect((await place.run(["answer", "q1_1", "at noon", "--author", "Ada"])).code).toBe(0);
    expect((await place.run(["answer", session, "2"])).code).toBe(0);
    const late = await place.run(["answer", session, "q1_0", "1"]);
    expect([late.code, late.stderr]).toEqual([2, expect.stringContaining("E_QUESTION_CLOSED")]);
    expect((await place.run(["answer", "q9_9", "x"])).stderr).toContain("E_QUESTION_UNKNOWN");

    expect((await place.run(["resume", session])).code).toBe(0);
    const [first, second] = await results(session);
    expect(first).toMatch(/^\[harness\] \S.* answered by cli at \S+:\nblue$/);
    expect(second).toMatch(/^\[harness\] Ada answered by cli at \S+:\nat noon$/);
    expect(await inboxOf(session)).toEqual([]);
    await place.expectSound();
  }, 300_000);

  test("are not waited for when nobody is there", async () => {
    const model = place.script({
      turns: [{ tools: [ask({ text: "When?", default: "tomorrow" })] }, { text: "Thanks." }],
    });
    const { code, stdout } = await place.run(["run", "paint it", "--model", model, "--unattended"]);
    expect(code).toBe(0);
    expect(stdout).toContain("nobody answered; tomorrow counts");
  }, 300_000);
});

describe("approvals", () => {
  test("show the exact action, and are for exactly that", async () => {
    const command = `git push origin main; echo ${"x".repeat(200)}\necho second line`;
    const model = place.script({
      turns: [{ tools: [{ name: "bash", input: { command } }] }, { text: "Done." }],
    });
    const asked = await place.run(["run", "push it", "--model", model, "--approve", "bash:git push*"]);
    expect(asked.code, asked.stderr).toBe(4);
    const session = /(sesn_\w+)/.exec(asked.stdout)?.[1] ?? "";
    // It is due in a day, when nobody has answered: only who stays waits for that.
    const swept = await place.run(["resume", "--all"]);
    expect(swept.stdout).toBe("nothing is due\n");
    expect(swept.stderr).toMatch(/^the next session is due at .*\nnext: nightshift resume --all --stay\n$/);
    const [item] = await inboxOf(session);
    expect(item).toMatchObject({
      kind: "call",
      item: "c1_0",
      action: command.split("\n"),
      otherwise: "it counts as denied",
    });
    const name = item?.answer[2] ?? "";
    expect(name).toBe(`c1_0@${item?.hash?.slice(0, 12)}`);

    const other = await place.run(["approve", session, "c1_0@000000000000"]);
    expect([other.code, other.stderr]).toEqual([2, expect.stringContaining("E_APPROVAL_STALE")]);
    expect((await place.run(["approve", session, name])).code).toBe(0);
    expect((await place.run(["resume", session])).code).toBe(0);
    expect(await results(session)).toHaveLength(1);
    const confirmation = (await place.events(session)).find(({ type }) => type === "user.tool_confirmation");
    expect(confirmation?.body).toMatchObject({
      call: "c1_0",
      result: "allow",
      hash: item?.hash,
      channel: "cli",
    });
  }, 300_000);

  test("by a rule that names nothing there is, are refused before anything starts", async () => {
    const { code, stderr } = await place.run([
      "run",
      "x",
      "--model",
      place.script({ turns: [] }),
      "--approve",
      "hammer",
    ]);
    expect([code, stderr]).toEqual([2, expect.stringContaining('"hammer" is no rule for approvals')]);
  }, 300_000);
});
