/**
 * Deliberate mistakes, each in one place of the real source. A simulator that does not notice one of them cannot be
 * believed about the others. `find` must occur exactly once in its file.
 */

import type { Mutant } from "./mutant.ts";
import { CONTRACTS } from "./mutants-of-contracts.ts";
import { PEOPLE } from "./mutants-of-people.ts";

const FENCES: readonly Mutant[] = [
  {
    name: "a sandbox is made without a fence",
    promise: "zombie-makes-no-sandbox",
    file: "src/runtime/performers.ts",
    find: "      fence: fenceOf(parts, moment),\n",
    replace: "",
    aim: /^stop@(provision|attach|destroy)/,
  },
];

const CHECKOUTS: readonly Mutant[] = [
  {
    name: "a lost sandbox goes on with the files that it left",
    promise: "a-sandbox-begins-with-what-the-log-says",
    file: "src/runtime/checkouts.ts",
    find: "if (found !== undefined && !isOutdated(workspace)) return found.files;",
    replace: "if (found !== undefined) return found.files;",
    aim: /^daemon-(dies|forgets)@(execute|append|part)/,
  },
  {
    name: "calls run while a checkpoint is made",
    promise: "a-checkpoint-holds-the-files",
    file: "src/core/rules/sandbox.ts",
    find: 'status !== "ready" || isCheckpointing(state) || isOutdated(state)',
    replace: 'status !== "ready" || isOutdated(state)',
    aim: /@(execute|prepare)/,
  },
  {
    name: "what is lost with a sandbox is not named",
    promise: "lost-changes-are-named",
    file: "src/runtime/checkouts.ts",
    find: "lost: unsavedCalls.map(({ call, name }) => ({ call, name })),",
    replace: "lost: [],",
    aim: /^daemon-(dies|forgets)@(execute|append|part)/,
  },
];

const STORE: readonly Mutant[] = [
  {
    name: "fence off",
    promise: "zombie-writes-nothing",
    file: "src/store/sqlite/apply.ts",
    find: "return row.epoch !== epoch || !row.isOwned;",
    replace: "return false;",
  },
  {
    name: "expected position not compared",
    promise: "one-receipt-per-intent",
    file: "src/store/sqlite/apply.ts",
    find: 'if (expected < row.seq) return unchanged({ kind: "conflict", seq: row.seq });',
    replace: "",
  },
  {
    name: "lost wake: release ignores a moved head",
    promise: "no-message-stranded",
    file: "src/store/sqlite/apply.ts",
    find: 'if (row.seq !== seq) return unchanged({ kind: "moved", seq: row.seq });',
    replace: "",
    aim: /^(message|control)@release\.before/,
  },
  {
    name: "a message does not make its session due",
    promise: "no-message-stranded",
    file: "src/store/sqlite/apply.ts",
    find: "updated_at = ?, due = ? WHERE key = ?",
    replace: "updated_at = ?, due = CASE WHEN ? = 0 THEN due ELSE due END WHERE key = ?",
  },
  {
    name: "due is dropped while the lease is held",
    promise: "every-session-comes-to-rest",
    file: "src/store/sqlite/apply.ts",
    find: "due = min(coalesce(due, ?), ?) WHERE key = ?",
    replace: "due = CASE WHEN ? = ? THEN NULL END WHERE key = ?",
  },
  {
    name: "the chain does not cover bodies",
    promise: "dense-and-chained",
    file: "src/store/sqlite/apply.ts",
    find: "{ session: row.id, seq, type, v, at }, bodyHash);",
    replace: '{ session: row.id, seq, type, v, at }, "");',
  },
  {
    name: "heads are not written",
    promise: "heads-agree",
    file: "src/store/sqlite/commit.ts",
    find: "this.#heads.advance(headsAfter(applied));",
    replace: "",
  },
  {
    name: "leases never expire",
    promise: "everything-comes-to-rest",
    file: "src/store/sqlite/apply.ts",
    find: "const isFree = leaseUntilMs <= request.monotonicMs || row.epoch === request.deadEpoch;",
    replace: "const isFree = row.epoch === request.deadEpoch;",
  },
  {
    name: "every owner counts as dead",
    promise: "one-driver",
    file: "src/store/sqlite/store.ts",
    find: "if (!this.#parts.probe.isDead(holder)) {",
    replace: "if (holder.harness === request.owner.harness) {",
  },
  {
    name: "an append is not known again",
    promise: "decide-is-total",
    file: "src/store/sqlite/apply.ts",
    find: "const repeated = this.#repeated(row, batch, fenced);",
    replace: "const repeated = fenced ? this.#repeated(row, batch, fenced) : undefined;",
  },
];

const JOURNAL: readonly Mutant[] = [
  {
    name: "start before commit",
    promise: "nothing-starts-without-a-committed-intent",
    file: "src/runtime/journal.ts",
    find: "const outcome = await this.#commit(draft, receipts, decisions > 0 ? expected : undefined);",
    replace: `const pending = this.#commit(draft, receipts, decisions > 0 ? expected : undefined);
      pending.catch(() => undefined);
      await Promise.resolve();
      this.#fold = draft.fold;
      const outcome = "as drafted" as string;`,
  },
  {
    name: "another append id at each try",
    promise: "one-receipt-per-intent",
    file: "src/runtime/journal.ts",
    find: "const result = await withRetries(clock, () => store.append(lease, batch));",
    replace:
      'let tries = 0; const result = await withRetries(clock, () => store.append(lease, { ...batch, appendId: batch.appendId + "/" + tries++ }));',
  },
  {
    name: "receipts of what is over are kept",
    promise: "one-receipt-per-intent",
    file: "src/runtime/journal.ts",
    find: "if (intent !== null && !isOpen(this.#state, intent)) continue;",
    replace: "",
    aim: /^control@|@cancel/,
  },
  {
    name: "a conflict drops facts",
    promise: "everything-comes-to-rest",
    file: "src/runtime/journal.ts",
    find: "this.#absorb(result.events);",
    replace: "this.#absorb(result.events); this.#receipts.splice(0, receipts);",
  },
  {
    name: "snapshot of the fold before the batch",
    promise: "snapshot-equals-full-fold",
    file: "src/runtime/journal.ts",
    find: "body: JSON.stringify(state) } }",
    replace: "body: JSON.stringify(this.#fold.state) } }",
  },
  {
    name: "no redaction",
    promise: "secrets-are-never-stored",
    file: "src/runtime/journal.ts",
    find: "const sealed = seal(input, this.#parts.redactor);",
    replace: "const sealed = seal(input, { redact: (text: string) => text });",
  },
];

const DRIVER: readonly Mutant[] = [
  {
    name: "leaving does not read what came meanwhile",
    promise: "everything-comes-to-rest",
    file: "src/runtime/driver.ts",
    find: `case "moved":
        await journal.catchUp();`,
    replace: 'case "moved":',
  },
  {
    name: "receipt before the effect",
    promise: "receipts-tell-the-truth",
    file: "src/runtime/performers.ts",
    find: "const reply = await within(parts.deadlines, wallMs + DAEMON_GRACE_MS, moment.signal, (signal) =>",
    replace: `if (tool.operation === "shell") {
    sandbox.execute(request, { signal: moment.signal, onOutput }).catch(() => undefined);
    const result = { ending: "exited", exitCode: 0, output: "", droppedBytes: 0, durationMs: 0 } as const;
    return [receiptOf(call, { status: "finished", result })];
  }
  const reply = await within(parts.deadlines, wallMs + DAEMON_GRACE_MS, moment.signal, (signal) =>`,
  },
  {
    name: "in doubt counts as never started",
    promise: "no-silent-rerun",
    file: "src/tool/receipts.ts",
    find: 'return doubtFrom(call, "unknown", reply.reason);',
    replace: 'return doubtFrom(call, "not_started", reply.reason);',
  },
  {
    name: "a sandbox may take for ever to end",
    promise: "everything-comes-to-rest",
    file: "src/runtime/performers.ts",
    find: "const DESTROY_TIMEOUT_MS = 60_000;",
    replace: "const DESTROY_TIMEOUT_MS = 1e12;",
    aim: /^no-reply@destroy/,
  },
  {
    name: "requests share their list of messages",
    promise: "context-is-a-function-of-the-log",
    file: "src/runtime/journal.ts",
    find: "if (this.#readers === 0) return this.#fold;",
    replace: "if (this.#readers >= 0) return this.#fold;",
  },
  {
    name: "the sandbox's floor is not raised",
    promise: "zombie-executes-nothing",
    file: "src/runtime/connections.ts",
    find: "await this.#backend.attach(handle, this.#epoch, signal);",
    replace: "await this.#backend.attach(handle, 1, signal);",
    aim: /^(stop|compete)@(execute|attach|prepare)/,
  },
  {
    name: "a failed wake leaves its session for ever",
    promise: "every-session-comes-to-rest",
    file: "src/runtime/wake.ts",
    find: "await harness.store.release(lease, { seq: record.seq, due });",
    replace: "await harness.store.release(lease, { seq: record.seq, due: null });",
  },
  {
    name: "the engine does not wait after a failed wake",
    promise: "everything-comes-to-rest",
    file: "src/runtime/engine.ts",
    find: "this.#resting.set(sessionId, {",
    replace: "this.#resting.delete(sessionId) || new Map<string, unknown>().set(sessionId, {",
  },
  {
    name: "the engine gives up when the store is busy",
    promise: "the-engine-goes-on",
    file: "src/runtime/engine.ts",
    find: "if (!isNightshiftError(error) || !error.retryable) throw error;",
    replace: "if (!isNightshiftError(error) || Number(SCAN_AGAIN_MS) > 0) throw error;",
  },
];

const CORE: readonly Mutant[] = [
  {
    name: "side effects are run again",
    promise: "no-silent-rerun",
    file: "src/core/rules/in-doubt.ts",
    find: 'case "idempotent":',
    replace: 'case "idempotent":\n    case "side_effect":',
  },
  {
    name: "nobody is asked before what cannot be undone is repeated",
    promise: "no-silent-rerun",
    file: "src/core/rules/in-doubt.ts",
    find: "return byPerson(state, now, call);",
    replace: "return again(state, now, call);",
    aim: /^daemon-.*@(execute|renew|timer|append)/,
  },
  {
    name: "orphaned requests are not settled",
    promise: "nothing-starts-without-a-committed-intent",
    file: "src/core/decide.ts",
    find: 'if (state.request !== null && state.request.epoch !== now.epoch) return "request-orphaned";',
    replace: "",
  },
  {
    name: "retry without back-off",
    promise: "retries-wait-on-the-record",
    file: "src/core/decide.ts",
    find: 'if (state.retry !== null && state.answerOwed && !isRetryDue(state.retry, now.at)) return "backing-off";',
    replace: "",
  },
  {
    name: "a sandbox is tried again at once",
    promise: "retries-wait-on-the-record",
    file: "src/core/rules/sandbox.ts",
    find: 'return failures > 1 || (failures === 1 && incarnation === "");',
    replace: 'return failures > 10 && incarnation === "";',
  },
  {
    name: "results in another order than the calls",
    promise: "context-is-a-function-of-the-log",
    file: "src/core/context-turn.ts",
    find: "for (const { call, providerCallId, name } of turn.calls) {",
    replace: "for (const { call, providerCallId, name } of turn.calls.toReversed()) {",
  },
  {
    name: "what is lost is not charged",
    promise: "spend-is-reserved-first",
    file: "src/core/reduce/requests.ts",
    find: "unsettledTokens: ledger.unsettledTokens + request.reservation.tokens,",
    replace: "unsettledTokens: ledger.unsettledTokens,",
  },
  {
    name: "caps are compared with what was spent only",
    promise: "spend-is-reserved-first",
    file: "src/core/rules/budget.ts",
    find: "if (limit !== undefined && row.used + row.wanted > limit)",
    replace: "if (limit !== undefined && row.used > limit)",
  },
  {
    name: "a pause does not wait for running tools",
    promise: "rest-means-nothing-runs",
    file: "src/core/rules/halt.ts",
    find: 'const running = state.calls.filter((call) => call.status === "started");',
    replace:
      'const running = state.calls.filter((call) => call.status === "started" && halt.kind !== "pause");',
  },
  {
    name: "stop does not kill what runs",
    promise: "no-run-outlives-its-receipt",
    file: "src/core/rules/halt.ts",
    find: 'return state.sandbox?.status === "ready" ? [] : closeStranded(halt, call);',
    replace:
      'return halt.kind === "pause" && state.sandbox?.status === "ready" ? [] : closeStranded(halt, call);',
  },
  {
    name: "going idle drops the queue",
    promise: "no-message-stranded",
    file: "src/core/reduce/control.ts",
    find: "const redirected =",
    replace: "state = { ...state, queue: [] };\n  const redirected =",
  },
  {
    name: "a resting session keeps its sandbox",
    promise: "released-means-no-sandbox",
    file: "src/core/rules/rest.ts",
    find: 'return unsavable(state) ?? append(event("sandbox.destroy_requested", { sandbox: sandbox.id }));',
    replace: "return leave(null);",
  },
];

/** Every mutant. */
export const MUTANTS: readonly Mutant[] = [
  ...FENCES,
  ...CHECKOUTS,
  ...CONTRACTS,
  ...PEOPLE,
  ...STORE,
  ...JOURNAL,
  ...DRIVER,
  ...CORE,
];
