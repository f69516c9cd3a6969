/**
 * How requests cross to the writer's thread. Copying an object costs by its fields, and an append has dozens of them;
 * a text and a row of numbers are copied as they are. So the appends of many drivers are laid into one text and one
 * row of numbers; whatever else there is, or has parts that are rare, crosses as an object.
 */
import type { SessionId } from "../../core/ids.ts";
import type { AppendRequest, RowEvent, WriteRequest } from "./requests.ts";

/** Requests, in order, in a form that is cheap to copy. */
export interface Parcel {
  /** What is not text, and the length of each text, in the order in which they are read back. */
  readonly numbers: Float64Array;
  readonly text: string;
  /** Apart, because the thread keeps them: a piece of a text keeps the whole of it. */
  readonly sessions: readonly SessionId[];
  /** One for each request: what crosses as an object, or null for one that was laid in. */
  readonly others: readonly (WriteRequest | null)[];
}

/** Longest body that is laid in: together they must not be longer than a text can be. */
const BODY_MAX = 65_536;
/** Stands for "no number" and for the length of "no text". */
const NONE = -1;

/** Lays requests into a parcel; events lose their readable form, which is as large as their body. */
export function pack(requests: readonly WriteRequest[]): Parcel {
  const packer = new Packer();
  const others = requests.map((request) => {
    if (!isPlain(request)) return lean(request);
    packer.add(request);
    return null;
  });
  const { text, sessions, numbers } = packer;
  return { text, sessions, numbers: Float64Array.from(numbers), others };
}

/** The requests again. */
export function unpack(parcel: Parcel): WriteRequest[] {
  const unpacker = new Unpacker(parcel);
  return parcel.others.map((request) => request ?? unpacker.next());
}

/** Nearly every request is. */
function isPlain(request: WriteRequest): request is AppendRequest {
  if (request.kind !== "append" || request.snapshot !== null || request.spending !== null) return false;
  return request.batch.events.every(({ body, blobs }) => body.length <= BODY_MAX && blobs.length === 0);
}

function lean(request: WriteRequest): WriteRequest {
  if (!("batch" in request)) return request;
  const { appendId, at, events } = request.batch;
  const rows = events.map(({ type, v, body, bodyHash, blobs }) => ({ type, v, body, bodyHash, blobs }));
  return { ...request, batch: { appendId, at, events: rows } };
}

class Packer {
  readonly numbers: number[] = [];
  readonly sessions: SessionId[] = [];
  text = "";

  add({ sessionId, epoch, expectedSeq, summary, batch }: AppendRequest): void {
    this.sessions.push(sessionId);
    this.numbers.push(epoch, expectedSeq ?? NONE, batch.at, batch.events.length);
    this.#put(summary);
    this.#put(batch.appendId);
    for (const { type, v, body, bodyHash } of batch.events) {
      this.numbers.push(v);
      this.#put(type);
      this.#put(body);
      this.#put(bodyHash);
    }
  }

  #put(text: string | null): void {
    this.numbers.push(text?.length ?? NONE);
    this.text += text ?? "";
  }
}

class Unpacker {
  readonly #parcel: Parcel;
  #session = 0;
  #number = 0;
  #place = 0;

  constructor(parcel: Parcel) {
    this.#parcel = parcel;
  }

  next(): AppendRequest {
    const sessionId = this.#parcel.sessions[this.#session++] as SessionId;
    const epoch = this.#take();
    const expectedSeq = this.#take();
    const at = this.#take();
    const count = this.#take();
    const summary = this.#text();
    const appendId = this.#text() ?? "";
    const events: RowEvent[] = [];
    for (let index = 0; index < count; index++) {
      const v = this.#take();
      const [type, body, bodyHash] = [this.#text() ?? "", this.#text() ?? "", this.#text() ?? ""];
      events.push({ type, v, body, bodyHash, blobs: [] });
    }
    return {
      kind: "append",
      sessionId,
      epoch,
      expectedSeq: expectedSeq === NONE ? null : expectedSeq,
      batch: { appendId, at, events },
      snapshot: null,
      summary,
      spending: null,
    };
  }

  #take(): number {
    return this.#parcel.numbers[this.#number++] as number;
  }

  #text(): string | null {
    const length = this.#take();
    if (length === NONE) return null;
    const start = this.#place;
    this.#place += length;
    return this.#parcel.text.slice(start, this.#place);
  }
}
