import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { keyOf, verify, type WebhookHeaders } from "../../src/runtime/notify/standard-webhooks.ts";
import { Place } from "./place.ts";

const SECRET = "whsec_bmlnaHRzaGlmdC10ZXN0LXNlY3JldC0wMQ==";
const PATIENCE_MS = 300_000;

interface Seen {
  readonly id: string;
  readonly isGenuine: boolean;
  readonly body: {
    readonly type: string;
    readonly data: { readonly session_id: string; readonly stop_reason: unknown };
  };
}

/** Receives web hooks as somebody's server would. */
class Receiver {
  readonly seen: Seen[] = [];
  /** What to do with the next ones; then they are accepted. */
  readonly plan: ("hang" | number)[] = [];
  readonly #server: Server;
  #heard: PromiseWithResolvers<void> = Promise.withResolvers();

  constructor() {
    this.#server = createServer((request, response) => void this.#receive(request, response));
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/hook`;
  }

  /** Resolves once so many have come. */
  async hears(count: number): Promise<void> {
    while (this.seen.length < count) await this.#heard.promise;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = "";
    for await (const chunk of request) text += String(chunk);
    const headers = request.headers as unknown as WebhookHeaders;
    const key = keyOf(SECRET) as Buffer;
    this.seen.push({
      id: headers["webhook-id"],
      isGenuine: verify(key, headers, text, Date.now()),
      body: JSON.parse(text),
    });
    this.#heard.resolve();
    this.#heard = Promise.withResolvers();
    const next = this.plan.shift();
    if (next === "hang") return;
    response.writeHead(next ?? 204).end();
  }
}

let place: Place;
let receiver: Receiver;
let url: string;
beforeEach(async () => {
  place = new Place();
  receiver = new Receiver();
  url = await receiver.listen();
});
afterEach(async () => {
  receiver.close();
  await place[Symbol.asyncDispose]();
});

const env = { HOOK_SECRET: SECRET };
const configure = (notify: readonly object[]): string =>
  place.write("../config/nightshift/config.json", JSON.stringify({ notify }));
const asking = { turns: [{ tools: [{ name: "ask", input: { text: "Which?" } }] }, { text: "Done." }] };

test(
  "a web hook is signed, and is told of a rest once, however often the teller is killed",
  async () => {
    configure([{ name: "phone", webhook: url, secret_variable: "HOOK_SECRET" }]);
    receiver.plan.push("hang");
    const running = place.start(["run", "ask me", "--model", place.script(asking)], { env });
    const session = await running.says(/(sesn_\w+)/);
    await receiver.hears(1);
    running.child.kill("SIGKILL");
    await running.ended;

    expect((await place.run(["resume", session], { env })).code).toBe(4);
    expect((await place.run(["resume", session], { env })).code).toBe(4);
    expect(receiver.seen.length).toBeGreaterThan(1);
    expect(new Set(receiver.seen.map(({ id }) => id)).size).toBe(1);
    for (const { isGenuine, body } of receiver.seen) {
      expect(isGenuine).toBe(true);
      expect(body).toMatchObject({
        type: "session.blocked",
        data: { session_id: session, stop_reason: { questions: ["q1_0"] } },
      });
    }
    const told = (await place.events(session)).filter(({ type }) => type === "notification.sent");
    expect(told.map(({ body }) => body)).toMatchObject([{ target: "phone", ok: true }]);
    expect(JSON.stringify(await place.events(session))).not.toContain(url);

    // What is told twice only because the session came to rest twice has another id.
    await place.run(["answer", session, "this one"], { env });
    expect((await place.run(["resume", session], { env })).code).toBe(0);
    const kinds = new Map(receiver.seen.map(({ id, body }) => [id, body.type]));
    expect([...kinds.values()]).toEqual(["session.blocked", "session.done"]);
  },
  PATIENCE_MS,
);

test(
  "an outage is tried again, a refusal is not, and neither fails the session",
  async () => {
    configure([
      { name: "flaky", webhook: url, secret_variable: "HOOK_SECRET", on: ["done"] },
      { name: "unset", webhook: url, secret_variable: "NO_SUCH_SECRET" },
      { name: "quiet", webhook: url, secret_variable: "HOOK_SECRET", on: ["budget", "stall"] },
    ]);
    receiver.plan.push(503, 503);
    const { code, stdout } = await place.run(
      ["run", "go", "--model", place.script({ turns: [{ text: "Done." }] })],
      { env },
    );
    expect(code).toBe(0);
    expect(receiver.seen).toHaveLength(3);
    const session = /(sesn_\w+)/.exec(stdout)?.[1] ?? "";
    const told = (await place.events(session)).filter(({ type }) => type === "notification.sent");
    expect(told.map(({ body }) => body)).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ target: "flaky", ok: true }),
        expect.objectContaining({
          target: "unset",
          ok: false,
          tries: 1,
          detail: expect.stringContaining("NO_SUCH_SECRET"),
        }),
      ]),
    );
    expect(told).toHaveLength(2);
    // A machine under load may count a slow answer as one try more.
    for (const { body } of told)
      if ((body as { target: string }).target === "flaky")
        expect((body as { tries: number }).tries).toBeGreaterThanOrEqual(3);
  },
  PATIENCE_MS,
);

test(
  "a program gets the same as JSON, and no secret in its environment",
  async () => {
    const told = join(place.folder, "told.json");
    configure([{ command: ["sh", "-c", `cat > ${told}; env >> ${told}`], on: ["done"] }]);
    const { code } = await place.run(["run", "go", "--model", place.script({ turns: [{ text: "Done." }] })], {
      env,
    });
    expect(code).toBe(0);
    const text = readFileSync(told, "utf8");
    expect(JSON.parse(text.split("\n")[0] ?? "")).toMatchObject({
      type: "session.done",
      data: { title: "go" },
    });
    expect(text).not.toContain(SECRET);
  },
  PATIENCE_MS,
);
