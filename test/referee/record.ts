/** The log of a session that came before the referee, in a real store. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Contract } from "../../src/core/contract/contract.ts";
import { contractHash } from "../../src/core/contract/contract.ts";
import { type EventBody, type EventInput, event } from "../../src/core/events/index.ts";
import { NO_REDACTION, seal } from "../../src/core/seal.ts";
import type { VerdictRequest } from "../../src/referee/parts.ts";
import { giveVerdict } from "../../src/referee/referee.ts";
import { makeBundle } from "../../src/runtime/bundle/make.ts";
import { openIntegrity } from "../../src/runtime/registry.ts";
import type { Store } from "../../src/store/contract.ts";
import { append, openStore } from "../integrity/sample.ts";
import { configWith } from "../support/events.ts";
import { atMs, calm } from "../support/repositories.ts";
import type { Court } from "./court.ts";

/** Writes everything that the referee finds into a log. */
export class CourtRecord {
  readonly court: Court;
  readonly store: Store;
  readonly folder: string;
  readonly contract: Contract;
  #appends = 0;
  #verdicts = 0;

  private constructor(open: Pick<CourtRecord, "court" | "store" | "folder" | "contract">) {
    this.court = open.court;
    this.store = open.store;
    this.folder = open.folder;
    this.contract = open.contract;
  }

  /** A session whose contract is sealed and whose checks ran on the base. */
  static async open(court: Court, contract: Contract): Promise<CourtRecord> {
    const folder = join(court.folder, "log");
    mkdirSync(folder);
    const store = await openStore(folder);
    const created = event("session.created", configWith({ checkout: { base: court.base } }));
    const events = [seal(created, NO_REDACTION)];
    await store.create(court.session, { appendId: "create", at: atMs, events });
    const record = new CourtRecord({ court, store, folder, contract });
    await record.add(event("contract.sealed", { contract, hash: contractHash(contract), source: "test" }));
    await record.add(event("preflight.started", { commit: court.base }));
    await record.add(event("preflight.finished", await court.preflight(contract)));
    return record;
  }

  async add(input: EventInput): Promise<number> {
    await append(this.store, this.court.session, `append-${++this.#appends}`, [input]);
    return (await this.store.getSession(this.court.session))?.seq ?? 0;
  }

  /** @param changes - what the referee is asked with, where that is not what the log says */
  async verdict(commit: string, changes: Partial<VerdictRequest> = {}): Promise<EventBody<"verdict.given">> {
    const number = ++this.#verdicts;
    await this.add(event("verdict.requested", { number, commit, reason: "asked" }));
    const types = ["preflight.finished"];
    const [preflight] = await this.store.getEvents(this.court.session, { limit: 1, backwards: true, types });
    if (preflight?.type !== "preflight.finished") throw new Error("the checks ran on the base");
    const known = { preflight: preflight.body, ...changes };
    const request = await this.court.request(this.contract, commit, known);
    const body = await giveVerdict(this.court.parts, { ...request, number }, calm, (fact) => this.add(fact));
    await this.add(event("verdict.given", body));
    return body;
  }

  async bundle(): Promise<Buffer> {
    const integrity = await openIntegrity("sqlite", this.folder);
    const { store, court } = this;
    return await makeBundle({ store, integrity, workspaces: court.workspaces }, court.session, calm);
  }
}
