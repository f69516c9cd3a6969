/** The log as an independent reader of the files sees it: row by row, folded and indexed as it grows. */
import type { EventBody, SessionEvent } from "../../src/core/events/index.ts";
import type { CallId, SessionId } from "../../src/core/ids.ts";
import { reduce } from "../../src/core/reduce.ts";
import { hydrate } from "../../src/core/seal.ts";
import { emptyState, type SessionState } from "../../src/core/state.ts";
import type { Json } from "../../src/core/text.ts";
import { upcast } from "../../src/core/upcast.ts";

/** One stored event. */
export interface LogRow {
  readonly seq: number;
  readonly at: number;
  readonly type: string;
  readonly v: number;
  readonly body: string;
  readonly hash: string;
}

/** Everything the log says about one tool call, told apart from the fold that the harness uses. */
export interface CallRecord {
  readonly use: EventBody<"agent.tool_use">;
  readonly starts: { readonly seq: number; readonly body: EventBody<"tool.started"> }[];
  readonly doubts: { readonly seq: number; readonly body: EventBody<"tool.in_doubt"> }[];
  /** What a write found, and was to make of it, when it was last looked at. */
  prepared: EventBody<"tool.prepared"> | null;
  /** Positions at which a person allowed another run. */
  readonly allowed: number[];
  result: { readonly seq: number; readonly body: EventBody<"agent.tool_result"> } | null;
}

/** Everything the log says about one model request. */
export interface RequestRecord {
  readonly seq: number;
  readonly start: EventBody<"span.model_request_start">;
  end: EventBody<"span.model_request_end"> | null;
}

/** Everything the log says about one attempt of a program. */
export interface AttemptRecord {
  readonly start: EventBody<"attempt.started">;
  isPrompted: boolean;
  end: { readonly seq: number; readonly body: EventBody<"attempt.ended"> } | null;
}

/** One session's log, as far as it has been read. */
export class ObservedLog {
  readonly session: SessionId;
  readonly rows: LogRow[] = [];
  readonly events: SessionEvent[] = [];
  readonly calls = new Map<CallId, CallRecord>();
  readonly requests = new Map<number, RequestRecord>();
  readonly attempts = new Map<number, AttemptRecord>();
  /** Highest epoch that a driver has announced. */
  epoch = 0;
  state: SessionState;

  constructor(session: SessionId) {
    this.session = session;
    this.state = emptyState(session);
  }

  get label(): string {
    return this.state.config?.metadata.label ?? "";
  }

  /** Reads one more row. @param lookUp - finds long texts */
  add(row: LogRow, lookUp: (hash: string) => string): SessionEvent {
    const event = upcast(row, hydrate(JSON.parse(row.body) as Json, lookUp));
    this.rows.push(row);
    this.events.push(event);
    this.state = reduce(this.state, event);
    this.#index(event);
    return event;
  }

  #index(event: SessionEvent): void {
    switch (event.type) {
      case "harness.woke":
        this.epoch = event.body.epoch;
        return;
      case "span.model_request_start":
        this.requests.set(event.body.request, { seq: event.seq, start: event.body, end: null });
        return;
      case "span.model_request_end": {
        const request = this.requests.get(event.body.request);
        if (request !== undefined) request.end = event.body;
        return;
      }
      case "attempt.started":
        this.attempts.set(event.body.attempt, { start: event.body, isPrompted: false, end: null });
        return;
      case "attempt.prompted":
      case "attempt.ended": {
        const attempt = this.attempts.get(event.body.attempt);
        if (attempt === undefined) return;
        if (event.type === "attempt.ended") attempt.end = { seq: event.seq, body: event.body };
        else attempt.isPrompted = true;
        return;
      }
      case "agent.tool_use":
        this.calls.set(event.body.call as CallId, {
          use: event.body,
          starts: [],
          doubts: [],
          ...{ prepared: null, allowed: [], result: null },
        });
        return;
      default:
        this.#indexCall(event);
    }
  }

  #indexCall(event: SessionEvent): void {
    const { seq } = event;
    switch (event.type) {
      case "tool.started":
        this.#call(event.body.call)?.starts.push({ seq, body: event.body });
        return;
      case "tool.prepared": {
        const call = this.#call(event.body.call);
        if (call !== undefined) call.prepared = event.body;
        return;
      }
      case "tool.in_doubt":
        this.#call(event.body.call)?.doubts.push({ seq, body: event.body });
        return;
      case "user.tool_confirmation":
        if (event.body.result === "allow") this.#call(event.body.call)?.allowed.push(seq);
        return;
      case "agent.tool_result": {
        const call = this.#call(event.body.call);
        if (call !== undefined) call.result = { seq, body: event.body };
        return;
      }
      default:
        return;
    }
  }

  #call(call: string): CallRecord | undefined {
    return this.calls.get(call as CallId);
  }
}
