/** Puts a harness together: state folder, store, redactor, tools, and the registry to find the rest by name. */
import { mkdtempSync, rmdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { isAbsolute, join } from "node:path";
import type { Chance, Clock } from "../core/clock.ts";
import { RENDERING_PATH } from "../core/contract/rendering.ts";
import { NightshiftError } from "../core/errors.ts";
import type { EventBody } from "../core/events/index.ts";
import type { SessionId } from "../core/ids.ts";
import { createRedactor } from "../core/redact.ts";
import type { Redactor } from "../core/seal.ts";
import type { Layer } from "../core/state.ts";
import type { EgressRule } from "../gateway/egress/contract.ts";
import type { ModelAdapter } from "../model/contract.ts";
import type { RefereeParts } from "../referee/parts.ts";
import type { SandboxBackend } from "../sandbox/contract.ts";
import type { Lease, Owner, Store } from "../store/contract.ts";
import { builtinTools, sessionTools } from "../tool/builtin.ts";
import type { Tool } from "../tool/contract.ts";
import type { Workspaces } from "../workspace/contract.ts";
import {
  type ConfigFile,
  type Environment,
  injectionsOf,
  processEnvironment,
  secretsOf,
  targetsOf,
} from "./config.ts";
import type { DayCaps } from "./day-tally.ts";
import type { EnvironmentParts } from "./environments.ts";
import { LazyBackend } from "./lazy-backend.ts";
import { LEASE_TTL_MS } from "./lease-keeper.ts";
import { openModel } from "./models.ts";
import type { Notifier } from "./notify/contract.ts";
import type { ModelConfig } from "./providers.ts";
import type { RefereeSource } from "./referee-parts.ts";
import { backendNames, createSandboxBackend, createWorker, isIsolated, openStore } from "./registry.ts";
import type { SessionAttempts } from "./session-attempts.ts";
import type { SessionBranch } from "./session-branch.ts";
import { depsOf, networkOf, type SessionConfig, setupFolderOf, setupOf } from "./session-config.ts";
import type { SessionLayers } from "./session-layers.ts";
import type { SessionReferee } from "./session-referee.ts";
import { SessionServices } from "./session-services.ts";
import { isOwnerDead, systemChance, systemClock, systemOwner } from "./system.ts";
import { packageVersion } from "./version.ts";
import type { Hands, Harness } from "./wake.ts";
import type { WayOut } from "./way-out.ts";

/** What a harness is opened with; everything has a default but the state folder of stores that keep files. */
export interface OpenOptions {
  /** Backend name, or a store that is open already; that one is left open in the end. Default: `sqlite`. */
  readonly store?: string | Store;
  /** Absolute. */
  readonly stateFolder?: string;
  /** `thread` pays when many sessions are driven at once. Default: `inline`. */
  readonly writer?: "inline" | "thread";
  /** Where keys of models are found, and secrets to redact. Default: the environment of this process. */
  readonly environment?: Environment;
  /** The user's config file, for providers that it describes. */
  readonly file?: ConfigFile;
  /**
   * Adapters by provider name; they come before those of the registry. A session names a provider of your own with
   * `sessionConfig({ model: { provider, id, max_output_tokens }, … })`.
   */
  readonly models?: { readonly [provider: string]: ModelAdapter };
  /** Sandbox backends by name; they come before those of the registry. */
  readonly sandboxes?: { readonly [name: string]: SandboxBackend };
  /** On what all sessions of this store spend in a day (UTC). Only what is driven under such caps is counted. */
  readonly dayCaps?: DayCaps;
  readonly clock?: Clock;
  readonly chance?: Chance;
}

/** A harness that owns what it opened. It serves as the parts of a client too. */
export interface OpenHarness extends Harness, AsyncDisposable {
  readonly chance: Chance;
  /** The backend's handle on sandboxes. @throws NightshiftError `E_BACKEND_UNKNOWN` */
  sandboxBackend(name: string): Promise<SandboxBackend>;
  /** What the referee of such a session works with, for verdicts that no driver asks for. */
  refereeParts(config: SessionConfig, sessionId: SessionId, layer: Layer | null): Promise<RefereeParts>;
  /** Checkouts and checkpoints of the sessions in this state folder. */
  workspaces(): Promise<Workspaces>;
  /** Closes the store, unless it was handed in. Whatever drives must have ended before. */
  close(): Promise<void>;
}

/** @throws NightshiftError `E_BACKEND_UNKNOWN`, `E_STORE_*` */
export async function openHarness(options: OpenOptions = {}): Promise<OpenHarness> {
  const clock = options.clock ?? systemClock;
  const chance = options.chance ?? systemChance;
  const owner = systemOwner(chance.unique(12));
  const notifier = await notifierOf(options, clock);
  if (typeof options.store === "object") {
    return new OpenedHarness({
      options,
      clock,
      chance,
      owner,
      store: options.store,
      ownsStore: false,
      notifier,
    });
  }
  const name = options.store ?? "sqlite";
  const store = await openStore(name, {
    folder: stateFolderOf(options, name),
    clock,
    writer: options.writer ?? "inline",
    probe: { isDead: (other) => isOwnerDead(other, owner) },
  });
  return new OpenedHarness({ options, clock, chance, owner, store, ownsStore: true, notifier });
}

interface Parts {
  readonly options: OpenOptions;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly owner: Owner;
  readonly store: Store;
  readonly ownsStore: boolean;
  readonly notifier: Notifier | undefined;
}

/** Loaded only where somebody is to be told. */
async function notifierOf({ file, environment }: OpenOptions, clock: Clock): Promise<Notifier | undefined> {
  const targets = targetsOf(file);
  if (targets.length === 0) return undefined;
  const { createNotifier } = await import("./notify/notifier.ts");
  return createNotifier(targets, { clock, environment: environment ?? processEnvironment() });
}

class OpenedHarness implements OpenHarness {
  readonly store: Store;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly owner: Owner;
  readonly redactor: Redactor;
  readonly tools: ReadonlyMap<string, Tool> = new Map(
    [...builtinTools(), ...sessionTools()].map((tool) => [tool.name, tool]),
  );
  readonly version: string = packageVersion();
  readonly leaseTtlMs = LEASE_TTL_MS;
  readonly notifier?: Notifier;
  readonly dayCaps?: DayCaps;
  readonly #options: OpenOptions;
  readonly #environment: Environment;
  readonly #ownsStore: boolean;
  /** One adapter per model, so that what an adapter remembers outlives a wake. */
  readonly #models = new Map<string, ModelAdapter>();
  readonly #sandboxes = new Map<string, SandboxBackend>();
  #workspaces: Promise<Workspaces> | undefined;
  #temporaryFolder: string | undefined;

  constructor({ options, clock, chance, owner, store, ownsStore, notifier }: Parts) {
    this.#options = options;
    this.#environment = options.environment ?? processEnvironment();
    this.#ownsStore = ownsStore;
    this.store = store;
    this.clock = clock;
    this.chance = chance;
    this.owner = owner;
    if (notifier !== undefined) this.notifier = notifier;
    if (options.dayCaps !== undefined) this.dayCaps = options.dayCaps;
    this.redactor = createRedactor({ secrets: secretsOf(this.#environment, options.file) });
  }

  async resolve(config: EventBody<"session.created">, lease: Lease): Promise<Hands> {
    const { tools, clock } = this;
    const { fallback } = config.agent;
    const isProgram = config.agent.worker === "command";
    const worker = isProgram
      ? null
      : await createWorker("loop", {
          ...{ model: await this.#model(config.agent.model), tools, clock, policy: config.policy },
          ...(fallback !== undefined && { fallback: { ...fallback, model: await this.#model(fallback) } }),
        });
    const { backend: kind } = config.sandbox;
    // An unknown name is refused now, and not by the first command.
    const isKnown = backendNames("sandbox").includes(kind);
    const backend = isKnown
      ? new LazyBackend(kind, () => this.sandboxBackend(kind))
      : await this.sandboxBackend(kind);
    const rules = networkOf(config.sandbox.options);
    const setup = setupOf(config.sandbox.options);
    const environment =
      setup.length > 0 ? this.#environmentParts(backend, config, lease.sessionId) : undefined;
    const layers = environment && (await this.#layers(environment, config));
    return {
      worker,
      backend,
      workspaces: () => this.workspaces(),
      ...(layers !== undefined && { layers }),
      ...(config.sandbox.checkout !== undefined && {
        referee: await this.#referee(config, lease, backend, environment),
        branch: await this.#branch(),
        ...(isIsolated(kind) && { services: new SessionServices(clock) }),
      }),
      ...(isProgram && { attempts: await this.#attempts(config, lease) }),
      ...(rules.length > 0 && { wayOut: await this.#wayOut(config, rules, lease.sessionId) }),
    };
  }

  async #branch(): Promise<SessionBranch> {
    const { createSessionBranch } = await import("./session-branch.ts");
    const { store, clock } = this;
    return createSessionBranch({ store, clock, workspaces: () => this.workspaces() });
  }

  async #attempts(config: SessionConfig, lease: Lease): Promise<SessionAttempts> {
    const { openSessionAttempts } = await import("./open-attempts.ts");
    const { store, clock, chance } = this;
    return openSessionAttempts({
      ...{ config, lease, store, clock, chance },
      environment: this.#environment,
      file: this.#options.file,
      folder: join(this.#fileFolder(), "programs", lease.sessionId),
      isIsolated: isIsolated(config.sandbox.backend),
      workspaces: () => this.workspaces(),
    });
  }

  async #referee(
    config: SessionConfig,
    lease: Lease,
    backend: SandboxBackend,
    environment: EnvironmentParts | undefined,
  ): Promise<SessionReferee> {
    const { createSessionReferee } = await import("./session-referee.ts");
    const { store } = this;
    const parts = (layer: Layer | null): Promise<RefereeParts> =>
      this.#refereeParts(config, { sessionId: lease.sessionId, backend, environment }, layer);
    const rendering = async (): Promise<Buffer | null | undefined> => {
      const workspaces = await this.workspaces();
      const found = await workspaces.find(lease.sessionId);
      if (found?.rendered.includes(RENDERING_PATH) !== true) return undefined;
      return await workspaces.rendering(lease.sessionId, RENDERING_PATH);
    };
    return createSessionReferee({ store, lease, clock: this.clock, parts, rendering });
  }

  async refereeParts(
    config: SessionConfig,
    sessionId: SessionId,
    layer: Layer | null,
  ): Promise<RefereeParts> {
    const backend = await this.sandboxBackend(config.sandbox.backend);
    const hasSetup = setupOf(config.sandbox.options).length > 0;
    const environment = hasSetup ? this.#environmentParts(backend, config, sessionId) : undefined;
    return await this.#refereeParts(config, { sessionId, backend, environment }, layer);
  }

  async #refereeParts(
    config: SessionConfig,
    own: Pick<RefereeSource, "sessionId" | "backend" | "environment">,
    layer: Layer | null,
  ): Promise<RefereeParts> {
    const { openRefereeParts } = await import("./referee-parts.ts");
    const { clock, chance } = this;
    const judges = [config.judge ?? config.agent.model, ...(config.further_judges ?? [])];
    const source = {
      ...{ ...own, clock, chance },
      workspaces: await this.workspaces(),
      isIsolated: isIsolated(own.backend.kind),
      judges: judges.map((model) => ({ model, adapter: () => this.#model(model) })),
      stateFolder: this.#fileFolder(),
    };
    return await openRefereeParts(source, layer);
  }

  workspaces(): Promise<Workspaces> {
    this.#workspaces ??= this.#openWorkspaces();
    return this.#workspaces;
  }

  async #openWorkspaces(): Promise<Workspaces> {
    const { openWorkspaces } = await import("../workspace/index.ts");
    return openWorkspaces({
      folder: join(this.#fileFolder(), "workspaces"),
      environment: this.#environment,
      unique: () => this.chance.unique(12),
    });
  }

  #environmentParts(
    backend: SandboxBackend,
    { sandbox: { options } }: SessionConfig,
    sessionId: SessionId,
  ): EnvironmentParts {
    const { clock, chance } = this;
    return {
      ...{ backend, clock, chance, argv: setupOf(options), argvFolder: setupFolderOf(options) },
      environment: this.#environment,
      folder: join(this.#fileFolder(), "layers"),
      egressFolder: join(this.#fileFolder(), "egress", `${sessionId}.set-up`),
    };
  }

  async #layers(parts: EnvironmentParts, { sandbox: { options } }: SessionConfig): Promise<SessionLayers> {
    const { createSessionLayers } = await import("./session-layers.ts");
    return createSessionLayers({ ...parts, policy: depsOf(options), workspaces: () => this.workspaces() });
  }

  async #wayOut(config: SessionConfig, rules: readonly EgressRule[], sessionId: SessionId): Promise<WayOut> {
    const { createWayOut } = await import("./way-out.ts");
    const folder = join(this.#fileFolder(), "egress", sessionId);
    const injections = injectionsOf(this.#environment, this.#options.file);
    const noContactMs = config.policy.no_contact_ms;
    return createWayOut({ folder, rules, injections, noContactMs, clock: this.clock });
  }

  async sandboxBackend(name: string): Promise<SandboxBackend> {
    const known = this.#options.sandboxes?.[name] ?? this.#sandboxes.get(name);
    if (known !== undefined) return known;
    const backend = await createSandboxBackend(name, { folder: join(this.#fileFolder(), "sandboxes", name) });
    this.#sandboxes.set(name, backend);
    return backend;
  }

  async #model(config: ModelConfig): Promise<ModelAdapter> {
    const handedIn = this.#options.models?.[config.provider];
    if (handedIn !== undefined) return handedIn;
    const name = JSON.stringify([config.provider, config.id, config.base_url ?? null]);
    const known = this.#models.get(name);
    if (known !== undefined) return known;
    const { clock } = this;
    const adapter = await openModel(config, {
      environment: this.#environment,
      file: this.#options.file,
      clock,
    });
    this.#models.set(name, adapter);
    return adapter;
  }

  /** Without a state folder, sandboxes and checkouts are as fleeting as the store. */
  #fileFolder(): string {
    const { stateFolder } = this.#options;
    if (stateFolder !== undefined) return stateFolder;
    this.#temporaryFolder ??= mkdtempSync(join(tmpdir(), "nightshift-"));
    return this.#temporaryFolder;
  }

  async close(): Promise<void> {
    if (this.#ownsStore) await this.store.close();
    const folder = this.#temporaryFolder;
    if (folder === undefined) return;
    for (const name of this.#sandboxes.keys()) {
      removeIfEmpty(join(folder, "sandboxes", name));
      // Its sessions end with the store.
      rmSync(join(folder, "sandboxes", `${name}.floors`), { recursive: true, force: true });
    }
    removeIfEmpty(join(folder, "sandboxes"));
    removeIfEmpty(folder);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

function stateFolderOf(options: OpenOptions, store: string): string {
  if (options.stateFolder !== undefined) {
    if (isAbsolute(options.stateFolder)) return options.stateFolder;
    throw new NightshiftError("E_USAGE", `the state folder "${options.stateFolder}" is no absolute path`, {
      hint: "Resolve it: what drives the session later may have another current folder.",
    });
  }
  // Opening one that there is not names those that there are.
  if (store === "memory" || !backendNames("store").includes(store)) return "";
  throw new NightshiftError("E_USAGE", `the store "${store}" keeps files and needs a state folder`, {
    hint: "Pass stateFolder to openHarness.",
  });
}

/** A sandbox that lives on keeps its folder. */
function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    return;
  }
}
