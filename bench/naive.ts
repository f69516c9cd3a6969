/**
 * The baselines: what a loop without a harness does. A turn is two durable events, the assistant's message and the
 * tool's result, each a line of JSON.
 */
import { closeSync, fdatasync, fdatasyncSync, openSync, readFileSync, write, writeSync } from "node:fs";
import { QUESTION, type Workload } from "./workload.ts";

interface NaiveMessage {
  readonly role: "user" | "assistant" | "tool";
  readonly content: string;
  readonly toolCall?: { readonly id: string; readonly name: string; readonly input: unknown };
  readonly toolCallId?: string;
}

/** One agent whose every event is written and synced by itself, before anything follows from it. */
export class NaiveLoop {
  readonly #workload: Workload;
  readonly #file: number;
  readonly #messages: NaiveMessage[] = [];
  #turn = 0;

  /** @param path - made if it is not there; it is not read */
  constructor(path: string, workload: Workload) {
    this.#workload = workload;
    this.#file = openSync(path, "a");
    this.#put({ role: "user", content: QUESTION });
  }

  /** Takes so many turns, from model call to model call. @param renders - makes a request's JSON at each call */
  advance(turns: number, renders = false): void {
    for (let index = 0; index < turns; index++) {
      if (renders) render(this.#messages);
      const id = `call_${this.#turn}`;
      this.#put(answerOf(this.#workload, this.#turn, id));
      this.#put({ role: "tool", toolCallId: id, content: this.#workload.result(this.#turn) });
      this.#turn++;
    }
  }

  close(): void {
    closeSync(this.#file);
  }

  #put(message: NaiveMessage): void {
    this.#messages.push(message);
    writeSync(this.#file, `${JSON.stringify(message)}\n`);
    fdatasyncSync(this.#file);
  }
}

/** Many agents on one log: what is pending when a sync begins shares it. */
export class NaiveGroup {
  readonly #workload: Workload;
  readonly #file: number;
  readonly #agents: NaiveMessage[][];
  #turn = 0;
  #pending: { readonly line: string; readonly done: () => void }[] = [];
  #isSyncing = false;

  constructor(path: string, agents: number, workload: Workload) {
    this.#workload = workload;
    this.#file = openSync(path, "a");
    this.#agents = Array.from({ length: agents }, () => [{ role: "user", content: QUESTION }]);
  }

  /** Lets every agent take so many turns. */
  async advance(turns: number): Promise<void> {
    await Promise.all(this.#agents.map((messages, agent) => this.#drive(agent, messages, turns)));
    this.#turn += turns;
  }

  close(): void {
    closeSync(this.#file);
  }

  async #drive(agent: number, messages: NaiveMessage[], turns: number): Promise<void> {
    for (let turn = this.#turn; turn < this.#turn + turns; turn++) {
      const id = `call_${turn}`;
      await this.#put(agent, messages, answerOf(this.#workload, turn, id));
      await this.#put(agent, messages, {
        role: "tool",
        toolCallId: id,
        content: this.#workload.result(turn),
      });
    }
  }

  #put(agent: number, messages: NaiveMessage[], message: NaiveMessage): Promise<void> {
    messages.push(message);
    const line = `{"agent":${agent},"position":${messages.length},"event":${JSON.stringify(message)}}\n`;
    return new Promise((done) => {
      this.#pending.push({ line, done });
      if (!this.#isSyncing && this.#pending.length === 1) setImmediate(() => this.#flush());
    });
  }

  #flush(): void {
    const batch = this.#pending;
    this.#pending = [];
    this.#isSyncing = true;
    write(this.#file, batch.map(({ line }) => line).join(""), (writeError) => {
      if (writeError) throw writeError;
      fdatasync(this.#file, (syncError) => {
        if (syncError) throw syncError;
        this.#isSyncing = false;
        for (const { done } of batch) done();
        if (this.#pending.length > 0) this.#flush();
      });
    });
  }
}

/** Reads a log back and makes the next request's messages of it. @returns how many there are */
export function resumeNaively(path: string): number {
  const messages: NaiveMessage[] = [];
  for (const line of readFileSync(path, "utf8").split("\n")) {
    if (line !== "") messages.push(JSON.parse(line) as NaiveMessage);
  }
  return messages.length;
}

/** What an adapter does with a context before it sends it. */
export function render(messages: readonly unknown[]): number {
  return JSON.stringify(messages).length;
}

function answerOf(workload: Workload, turn: number, id: string): NaiveMessage {
  const toolCall = { id, name: "read", input: workload.input(turn) };
  return { role: "assistant", content: workload.text(turn), toolCall };
}
