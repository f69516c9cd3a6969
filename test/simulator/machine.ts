/** One simulated machine: its files, the real stores that processes have open on them, and the reader beside them. */
import type { Store } from "../../src/store/contract.ts";
import { Disk, type DiskParts } from "./disk.ts";
import { Observer } from "./observer.ts";
import type { Process } from "./process.ts";
import type { Random } from "./random.ts";
import type { Scheduler } from "./scheduler.ts";
import type { SimulatedStore, StoreHost } from "./store.ts";

/** How long a process takes to notice what another one has written; sometimes the hint is late. */
const LOOK_WITHIN_MS = 40;
const LATE_LOOK_WITHIN_MS = 4000;
const LATE_CHANCE = 0.4;

/** A store that a process has open. */
interface Opened {
  readonly real: Promise<Store>;
  /** The same once it is there. */
  now: Store | null;
  look: () => void;
  isLooking: boolean;
}

/** What a machine is made of. */
export interface MachineParts extends DiskParts {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly template: string;
}

/** Files and who has them open. */
export class Machine implements StoreHost {
  readonly disk: Disk;
  readonly #parts: MachineParts;
  readonly #opened = new Map<Process, Opened>();
  readonly #stores = new Map<Process, SimulatedStore>();
  #observer: Observer;

  constructor(parts: MachineParts) {
    this.#parts = parts;
    this.disk = new Disk(parts, parts.template);
    this.#observer = new Observer(this.disk.folder);
  }

  get observer(): Observer {
    return this.#observer;
  }

  /** Gives notifications of a process's real store to its seam. */
  register(process: Process, store: SimulatedStore): void {
    this.#stores.set(process, store);
  }

  open(process: Process): Promise<Store> {
    const opened = this.#opened.get(process) ?? this.#open(process);
    return opened.real;
  }

  /** The process's store if it is open already, for calls that must not wait. */
  openNow(process: Process): Store | null {
    return this.#opened.get(process)?.now ?? null;
  }

  /** Somebody has written: the others will notice soon. */
  announce(): void {
    const { scheduler, random } = this.#parts;
    for (const [process, opened] of this.#opened) {
      if (opened.isLooking || process.isDead) continue;
      opened.isLooking = true;
      const withinMs = random.chance(LATE_CHANCE) ? LATE_LOOK_WITHIN_MS : LOOK_WITHIN_MS;
      scheduler.after(random.between(1, withinMs), () => {
        opened.isLooking = false;
        process.run(() => opened.look());
      });
    }
  }

  /** Goes on with a copy of the files as they are at this instant; whoever lives opens the copy. */
  copyFiles(): void {
    this.disk.copy();
    this.#observer.close();
    this.#observer = new Observer(this.disk.folder);
    const before = [...this.#opened];
    this.#opened.clear();
    for (const [process] of before) if (!process.isDead) this.#open(process);
    void closeAll(before.map(([, opened]) => opened));
  }

  async shutDown(): Promise<void> {
    this.#observer.close();
    await closeAll([...this.#opened.values()]);
    this.disk.remove();
  }

  #open(process: Process): Opened {
    let look = (): void => undefined;
    const real = this.disk.open((lookNow) => {
      look = lookNow;
      return () => undefined;
    });
    const opened: Opened = { real, now: null, look: () => look(), isLooking: false };
    this.#opened.set(process, opened);
    // Whoever calls sees the failure to open, and tries again.
    real.then(
      (store) => {
        opened.now = store;
        store.subscribe((change) => this.#stores.get(process)?.hear(change));
      },
      () => this.#opened.delete(process),
    );
    return opened;
  }
}

async function closeAll(stores: readonly Opened[]): Promise<void> {
  for (const { real } of stores) await real.then((store) => store.close()).catch(() => undefined);
}
