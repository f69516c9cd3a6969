/** What must hold of every log that the harness wrote, whatever happened. Each promise throws with its own words. */
import { assert } from "vitest";
import type { SessionEvent } from "../../src/core/events/index.ts";
import type { Message } from "../../src/core/message.ts";

interface Run {
  readonly effect: string;
  readonly permission: string;
  run: number;
  status: "requested" | "started" | "in_doubt" | "answered";
  finding: string;
  allowed: boolean;
}

/** Follows what a log says about the files of a session with a checkout of its own. */
class FileWatcher {
  readonly #effects = new Map<string, string>();
  readonly #running = new Set<string>();
  hasCheckout = false;
  #isOver = false;
  #hasWorked = false;
  #making = false;
  #unsaved = 0;

  see(event: SessionEvent, at: string): void {
    switch (event.type) {
      case "session.created":
        this.hasCheckout = event.body.sandbox.checkout !== undefined;
        return;
      case "agent.tool_use":
        this.#effects.set(event.body.call, event.body.effect);
        return;
      case "tool.started":
        assert.isFalse(this.#making, `${at}: nothing begins while the files are read`);
        this.#running.add(event.body.call);
        if (this.#effects.get(event.body.call) !== "read_only") this.#unsaved += 1;
        return;
      case "tool.in_doubt":
      case "agent.tool_result":
        this.#running.delete(event.body.call);
        return;
      case "session.status_terminated":
        this.#isOver = true;
        return;
      case "sandbox.requested":
      case "sandbox.ready":
        this.#hasWorked = event.type === "sandbox.ready";
        return;
      case "sandbox.lost":
        this.#running.clear();
        return;
      case "checkpoint.requested":
        assert.isTrue(this.hasCheckout, `${at}: only a checkout is saved`);
        assert.equal(this.#running.size, 0, `${at}: the files stand still`);
        this.#making = true;
        return;
      case "checkpoint.failed":
        this.#making = false;
        return;
      case "checkpoint.created":
      case "workspace.restored":
      case "workspace.rewound":
        this.#making = false;
        this.#unsaved = 0;
        return;
      case "sandbox.destroy_requested":
        if (this.hasCheckout && this.#hasWorked && !this.#isOver)
          assert.equal(this.#unsaved, 0, `${at}: work is saved before its sandbox goes`);
        return;
      default:
        return;
    }
  }
}

/** Follows what a log says of a contract: work after the preflight, and "verified" only by a verdict. */
class ContractWatcher {
  #isAgreed = false;
  #isChecked = false;
  #verdict: { readonly number: number; readonly isMet: boolean; readonly hash: string } | null = null;
  #hash = "";

  see(event: SessionEvent, at: string): void {
    switch (event.type) {
      case "contract.sealed":
        this.#isAgreed = true;
        this.#hash = event.body.hash;
        return;
      case "contract.amended":
        this.#isChecked = false;
        this.#hash = event.body.hash;
        return;
      case "preflight.finished":
        this.#isChecked = event.body.problems.length === 0;
        return;
      case "span.model_request_start":
        assert.isTrue(!this.#isAgreed || this.#isChecked, `${at}: the base is looked at before work begins`);
        return;
      case "verdict.requested":
        this.#verdict = null;
        return;
      case "verdict.given":
        this.#verdict = {
          number: event.body.number,
          isMet: event.body.outcome === "met",
          hash: event.body.contract_hash,
        };
        return;
      case "session.status_idle":
        if (event.body.stop_reason.type !== "verified") return;
        assert.deepEqual(
          this.#verdict,
          { number: event.body.stop_reason.verdict, isMet: true, hash: this.#hash },
          `${at}: verified only by a positive verdict under the contract in force`,
        );
        return;
      default:
        return;
    }
  }
}

/** Follows a log event by event. */
class Watcher {
  readonly #calls = new Map<string, Run>();
  #openRequest: number | null = null;
  #requests = 0;
  #paused = false;
  #over = false;
  #running = false;
  readonly #files = new FileWatcher();
  readonly #agreement = new ContractWatcher();

  see(event: SessionEvent): void {
    const at = `event ${event.seq} (${event.type})`;
    this.#files.see(event, at);
    this.#agreement.see(event, at);
    switch (event.type) {
      case "session.status_running":
        this.#running = true;
        break;
      case "session.status_idle":
        this.#running = false;
        this.#rested(at, event.body.stop_reason.type);
        break;
      case "session.status_terminated":
        this.#over = true;
        this.#rested(at, "terminated");
        break;
      case "control.pause":
        this.#paused = true;
        break;
      case "control.rewind":
        this.#paused &&= !this.#files.hasCheckout;
        break;
      case "control.resume":
      case "control.stop":
        this.#paused = false;
        break;
      case "span.model_request_start":
        this.#asked(event.body.request, at);
        break;
      case "span.model_request_end":
        assert.equal(event.body.request, this.#openRequest, `${at} ends the request that is open`);
        this.#openRequest = null;
        break;
      default:
        this.#seeCall(event, at);
    }
  }

  /** A session that failed for want of a sandbox keeps its questions for the next one. */
  #rested(at: string, reason: string): void {
    assert.isNull(this.#openRequest, `${at}: nothing is in flight`);
    for (const [call, { status }] of this.#calls)
      if (reason !== "failed")
        assert.notEqual(status, "started", `${at}: no command of ${call} runs in a session that rests`);
  }

  #asked(request: number, at: string): void {
    assert.isFalse(this.#over, `${at}: a session that is over asks nothing`);
    assert.isFalse(this.#paused, `${at}: a paused session asks nothing`);
    assert.isTrue(this.#running, `${at}: a session that asks counts as running`);
    assert.isNull(this.#openRequest, `${at}: one request at a time`);
    assert.equal(request, this.#requests + 1, `${at}: requests are numbered`);
    for (const [call, { status }] of this.#calls)
      assert.equal(status, "answered", `${at}: ${call} has its result before the next request`);
    this.#requests = request;
    this.#openRequest = request;
  }

  #seeCall(event: SessionEvent, at: string): void {
    switch (event.type) {
      case "agent.tool_use": {
        const { call, effect, evaluated_permission: permission } = event.body;
        assert.isFalse(this.#calls.has(call), `${at}: calls have names of their own`);
        const run = { effect, permission, run: 0, status: "requested", finding: "", allowed: false } as const;
        this.#calls.set(call, { ...run });
        return;
      }
      case "user.tool_confirmation": {
        const call = this.#calls.get(event.body.call);
        if (call !== undefined && event.body.result === "allow") call.allowed = true;
        return;
      }
      case "tool.started":
        this.#started(event.body.call, event.body.run, at);
        return;
      case "tool.in_doubt": {
        const call = this.#call(event.body.call, at);
        assert.equal(call.status, "started", `${at}: only what has started is in doubt`);
        call.status = "in_doubt";
        call.finding = event.body.finding;
        call.allowed = false;
        return;
      }
      case "agent.tool_result": {
        const call = this.#call(event.body.call, at);
        assert.notEqual(call.status, "answered", `${at}: one receipt per call`);
        if (event.body.run === 0) assert.equal(call.run, 0, `${at}: what ran is not told as not run`);
        else assert.equal(event.body.run, call.run, `${at}: the receipt is of the last run`);
        call.status = "answered";
        return;
      }
      default:
        return;
    }
  }

  #started(name: string, run: number, at: string): void {
    const call = this.#call(name, at);
    assert.isTrue(this.#running, `${at}: a session whose tools run counts as running`);
    assert.include(["requested", "in_doubt"], call.status, `${at}: one run at a time`);
    assert.equal(run, call.run + 1, `${at}: runs are numbered`);
    const certain = call.finding === "not_started";
    if (call.permission === "ask" && run === 1) assert.isTrue(call.allowed, `${at}: not unasked`);
    assert.notEqual(call.permission, "deny", `${at}: not what is denied`);
    if (call.effect === "irreversible" && run > 1 && !certain)
      assert.isTrue(call.allowed, `${at}: never a second run of what cannot be undone, unasked`);
    if (call.effect === "side_effect" && run > 1) assert.isTrue(certain, `${at}: never a silent second run`);
    if (call.effect === "reconcilable") {
      for (const [other, { status }] of this.#calls)
        if (other !== name)
          assert.notEqual(status, "started", `${at}: a write runs alone, not beside ${other}`);
    }
    call.status = "started";
    call.run = run;
  }

  #call(name: string, at: string): Run {
    const call = this.#calls.get(name);
    assert.isDefined(call, `${at}: ${name} was called`);
    return call as Run;
  }
}

/** The promises about effects, receipts and people's wishes. */
export function checkLog(log: readonly SessionEvent[]): void {
  const watcher = new Watcher();
  for (const event of log) watcher.see(event);
}

/** What is sent only ever grows, and every call in it is followed by its result, in call order. */
export function checkSent(sent: readonly (readonly Message[])[], anew: ReadonlySet<number>): void {
  for (const [index, messages] of sent.entries()) {
    const before = anew.has(index) ? [] : (sent[index - 1] ?? []);
    assert.deepEqual(
      messages.slice(0, before.length),
      [...before],
      `request ${index + 1} begins like the one before`,
    );
    checkResults(messages);
  }
}

function checkResults(messages: readonly Message[]): void {
  const wanted: string[] = [];
  for (const message of messages) {
    if (message.role === "tool") {
      assert.equal(message.providerCallId, wanted.shift(), "results stand in the order of the calls");
      continue;
    }
    assert.deepEqual(wanted, [], "every call has its result before anything else is said");
    if (message.role !== "assistant") continue;
    for (const block of message.blocks) if (block.type === "tool_call") wanted.push(block.providerCallId);
  }
  assert.deepEqual(wanted, [], "every call has its result");
}
