/**
 * Environment layers: what makes checks run offline. A layer is the read-only result of a project's set-up. It is
 * made in two steps, each in a sandbox of its own: *fetch* sees manifests and lockfile only, may reach the registries
 * and executes nothing of the project or its dependencies; *build* has no way out and may run lifecycle scripts.
 * Layers are kept by key and shared by sessions, workers and referees; nobody can write them.
 */
import type { Chance, Clock } from "../core/clock.ts";
import type { Mount, SandboxBackend } from "../sandbox/contract.ts";

/** Package managers that are understood. */
export type Ecosystem = "npm" | "pnpm" | "yarn" | "yarn-berry" | "pip" | "uv" | "cargo" | "go";

/**
 * What happens when the files of a candidate ask for another layer than those that a session began with: it is made,
 * a person is asked about exactly that layer, or it is not made.
 */
export type DependencyPolicy = "allow" | "ask" | "deny";

/** Where packages of one kind may come from. */
export interface Registry {
  readonly ecosystem: Ecosystem;
  /** As the client takes it. */
  readonly url: string;
  /** Further hosts (with port, if it is not the scheme's own) that the registry hands files out from. */
  readonly fileHosts: readonly string[];
  /** The egress proxy adds credentials for this host (HTTPS only), so it is asked in base-URL form. */
  readonly isInjected?: boolean;
}

/** One command of a set-up. */
export interface LayerStep {
  readonly argv: readonly string[];
  /** Relative to the workspace; empty for its root. */
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
  /** The names of installed packages with install scripts are appended; without any, there is nothing to run. */
  readonly forBuiltPackages?: boolean;
}

/** A file that the set-up depends on, as it was when the plan was made. */
export interface LayerInput {
  /** Relative to the workspace, with `/`. */
  readonly path: string;
  /** Of its content, in hex. */
  readonly sha256: string;
}

/** A folder that a layer consists of, and where it is to be seen. */
export interface LayerOutput {
  /** Below the workspace of the set-up, or below {@link INNER_LAYER}. */
  readonly from: "workspace" | "layer";
  /** Relative to that; empty for all of it. */
  readonly path: string;
  /** May be missing after the build. */
  readonly isOptional?: boolean;
}

/** Where the parts of a layer that belong to no project folder are, inside. */
export const INNER_LAYER = "/layer";

/** How to make a layer. Plain data: it can be shown to a person, kept in a log and compared. */
export interface LayerPlan {
  readonly ecosystem: Ecosystem;
  /** Absolute, outside: the folder that everything below is relative to. */
  readonly workspace: string;
  /** Where that is in the workspace of a session (`packages/web`); empty for its root. */
  readonly folder: string;
  /** Everything that the fetch step may see. */
  readonly inputs: readonly LayerInput[];
  /** Files that are seen with this content instead of their own: sources that must merely exist, cleaned settings. */
  readonly standIns: Readonly<Record<string, string>>;
  readonly fetch: readonly LayerStep[];
  readonly build: readonly LayerStep[];
  readonly outputs: readonly LayerOutput[];
  /** For the commands that use the layer. */
  readonly environment: Readonly<Record<string, string>>;
  /** Inside folders with the layer's programs, to go before everything else in PATH. */
  readonly path: readonly string[];
  readonly registries: readonly Registry[];
  /** Programs from outside of `/usr`, their folders read-only. */
  readonly toolchain: Toolchain;
  /** SHA-256 in hex of everything above but the two places, and of the platform. */
  readonly key: string;
}

/** Programs that a check needs. */
export interface Toolchain {
  /** Folders outside of `/usr`, seen inside under the same path. */
  readonly mounts: readonly Mount[];
  /** To go before the sandbox's own PATH. */
  readonly path: readonly string[];
  /** What each program says of its version; part of the key. */
  readonly versions: Readonly<Record<string, string>>;
  /** Where the person's own certificate authorities are. */
  readonly environment: Readonly<Record<string, string>>;
}

/** What {@link LayerPlan}s are made from. */
export interface PlanRequest {
  /** Absolute. */
  readonly workspace: string;
  /** Of the check. */
  readonly argv: readonly string[];
  /** Where the check runs, relative to the workspace; absent for its root. */
  readonly folder?: string;
  /** Of the person who starts the session: PATH, HOME and the like. Values do not get into the plan. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly registries: readonly Registry[];
  readonly signal: AbortSignal;
}

/** What it takes to make a layer. */
export interface LayerTools {
  readonly backend: SandboxBackend;
  readonly clock: Clock;
  readonly chance: Chance;
  /** Absolute; layers are kept here. */
  readonly folder: string;
  /**
   * Opens the way out for one fetch, to the hosts of these registries and nothing else.
   * @returns the socket for `SandboxSpec.egress`, and how to close it
   */
  openEgress(
    registries: readonly Registry[],
    signal: AbortSignal,
  ): Promise<{ readonly socket: string; close(): Promise<void> }>;
  readonly signal: AbortSignal;
  readonly onOutput?: (text: string) => void;
}

/** A layer that is ready. */
export interface Layer {
  readonly key: string;
  /** All read-only. */
  readonly mounts: readonly Mount[];
  /** For `SandboxSpec.environment`; its PATH goes before the sandbox's own. */
  readonly environment: Readonly<Record<string, string>>;
  /** Was it there already? */
  readonly isReused: boolean;
}

/** Files that configure package managers and so decide where code comes from: always protected. Globs of git's kind. */
export const REGISTRY_CONFIG_GLOBS: readonly string[] = [
  "**/.npmrc",
  "**/.yarnrc",
  "**/.yarnrc.yml",
  "**/.yarnrc.yaml",
  "**/.yarn/plugins/**",
  "**/.yarn/releases/**",
  "**/.pnpmfile.cjs",
  "**/.pnpmfile.mjs",
  "**/pip.conf",
  "**/pip.ini",
  "**/.pip/**",
  "**/uv.toml",
  "**/.cargo/config",
  "**/.cargo/config.toml",
  "**/.netrc",
  "**/.gitattributes",
  "**/.gitmodules",
];
