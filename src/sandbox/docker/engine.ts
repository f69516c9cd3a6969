/** A Docker engine, as far as sandboxes need one. Failures of the engine become errors that name it. */
import { Agent } from "node:http";
import { Readable } from "node:stream";
import type Docker from "dockerode";
import { messageOf, NightshiftError } from "../../core/errors.ts";

/** What an engine says about itself. */
export interface EngineFacts {
  /** Runs without root: inside, root is the user who runs it. */
  readonly isRootless: boolean;
  /** Shifts user ids of containers unless told not to. */
  readonly remapsUsers: boolean;
  readonly cores: number;
  readonly limits: { readonly memory: boolean; readonly processes: boolean; readonly cpus: boolean };
}

/** What is known of a container. */
export interface ContainerState {
  readonly isRunning: boolean;
  /** Of process 1, on the engine's machine; 0 when it does not run. */
  readonly pid: number;
  readonly exitCode: number;
  readonly error: string;
  readonly labels: { readonly [name: string]: string };
}

const ANSWER_MS_MAX = 60_000;
const LOG_LENGTH_MAX = 2_000;

/** One engine behind a unix socket. */
export class Engine {
  readonly #docker: Docker;
  readonly #socket: string;

  private constructor(docker: Docker, socket: string) {
    this.#docker = docker;
    this.#socket = socket;
  }

  /** Loads the client, which takes a moment; asks nothing yet. */
  static async open(socket: string): Promise<Engine> {
    const { default: Client } = await import("dockerode");
    // A connection that is kept would be to an engine that has been started anew since.
    const agent = new Agent({ keepAlive: false });
    return new Engine(new Client({ socketPath: socket, timeout: ANSWER_MS_MAX, agent }), socket);
  }

  /** @throws NightshiftError `E_SANDBOX_UNAVAILABLE` */
  async facts(): Promise<EngineFacts> {
    const info = (await this.#ask("describe itself", () => this.#docker.info())) as {
      readonly SecurityOptions?: readonly string[];
      readonly MemoryLimit?: boolean;
      readonly PidsLimit?: boolean;
      readonly CpuCfsQuota?: boolean;
      readonly NCPU: number;
    };
    const options = (info.SecurityOptions ?? []).flatMap((option) => option.split(","));
    return {
      isRootless: options.includes("name=rootless"),
      remapsUsers: options.includes("name=userns"),
      cores: info.NCPU,
      limits: {
        memory: info.MemoryLimit === true,
        processes: info.PidsLimit === true,
        cpus: info.CpuCfsQuota === true,
      },
    };
  }

  /** Makes an image out of an archive, unless there is one of this name. */
  async ensureImage(repository: string, tag: string, archive: () => Buffer): Promise<string> {
    const name = `${repository}:${tag}`;
    const found = await this.#askFor(`look for the image ${name}`, () =>
      this.#docker.getImage(name).inspect(),
    );
    if (found !== undefined) return name;
    await this.#ask(`make the image ${name}`, async () => {
      const file = Readable.from([archive()]);
      const answer = await this.#docker.importImage(file, { repo: repository, tag });
      // It is made when the answer has been read to its end.
      for await (const _chunk of answer);
    });
    return name;
  }

  async createVolume(options: object): Promise<void> {
    await this.#ask("make a volume", () => this.#docker.createVolume(options));
  }

  async createContainer(options: object): Promise<void> {
    await this.#ask("make a container", () => this.#docker.createContainer(options));
  }

  async startContainer(name: string): Promise<void> {
    await this.#ask(`start the container ${name}`, () => this.#docker.getContainer(name).start());
  }

  /** Undefined: there is none of this name. */
  async inspectContainer(name: string): Promise<ContainerState | undefined> {
    const found = (await this.#askFor(`look at the container ${name}`, () =>
      this.#docker.getContainer(name).inspect(),
    )) as
      | {
          readonly State: {
            readonly Running: boolean;
            readonly Pid: number;
            readonly ExitCode: number;
            readonly Error: string;
          };
          readonly Config: { readonly Labels: Readonly<Record<string, string>> | null };
        }
      | undefined;
    if (found === undefined) return undefined;
    const { Running: isRunning, Pid: pid, ExitCode: exitCode, Error: error } = found.State;
    return { isRunning, pid, exitCode, error, labels: found.Config.Labels ?? {} };
  }

  /** Changes a limit of a container that runs. */
  async limitProcesses(name: string, processes: number): Promise<void> {
    await this.#ask(`limit the container ${name}`, () =>
      this.#docker.getContainer(name).update({ PidsLimit: processes }),
    );
  }

  /** The last words of a container, or nothing. */
  async logOf(name: string): Promise<string> {
    try {
      const container = this.#docker.getContainer(name);
      const log = await container.logs({ stdout: true, stderr: true, tail: 20 });
      return piecesOf(log).toString().trim().slice(-LOG_LENGTH_MAX);
    } catch {
      return "";
    }
  }

  /** Kills it if it runs. Idempotent. */
  async removeContainer(name: string): Promise<void> {
    await this.#askFor(`remove the container ${name}`, () =>
      this.#docker.getContainer(name).remove({ force: true, v: false }),
    );
  }

  /** Labels of the volume; undefined: there is none of this name. */
  async inspectVolume(name: string): Promise<ContainerState["labels"] | undefined> {
    const found = (await this.#askFor(`look at the volume ${name}`, () =>
      this.#docker.getVolume(name).inspect(),
    )) as { readonly Labels: Readonly<Record<string, string>> | null } | undefined;
    return found && (found.Labels ?? {});
  }

  /**
   * Only when no container has it. Idempotent.
   * @returns where it is still mounted, if the engine is mistaken about it: those, 28.2 too, that were started
   * anew while a container ran have lost count of its mounts, and refuse until they are started anew once more
   */
  async removeVolume(name: string): Promise<string | undefined> {
    const volume = this.#docker.getVolume(name);
    const found = (await this.#askFor(`look at the volume ${name}`, () => volume.inspect())) as
      | { readonly Mountpoint: string }
      | undefined;
    if (found === undefined) return undefined;
    try {
      await this.#askFor(`remove the volume ${name}`, () => volume.remove());
      return undefined;
    } catch (error) {
      if (messageOf(error).includes("has active mounts")) return found.Mountpoint;
      throw error;
    }
  }

  /** Labels of every container and volume that has this one, running or not. */
  async labelsWith(label: string): Promise<ContainerState["labels"][]> {
    const filters = { label: [label] };
    const containers = (await this.#ask("list containers", () =>
      this.#docker.listContainers({ all: true, filters }),
    )) as readonly { readonly Labels: ContainerState["labels"] }[];
    const { Volumes: volumes } = (await this.#ask("list volumes", () =>
      this.#docker.listVolumes({ filters }),
    )) as { readonly Volumes: readonly { readonly Labels: ContainerState["labels"] }[] | null };
    return [...containers, ...(volumes ?? [])].map(({ Labels }) => Labels);
  }

  /** @returns undefined when the engine knows of no such thing, or is removing it already */
  async #askFor<Answer>(what: string, question: () => Promise<Answer>): Promise<Answer | undefined> {
    try {
      return await question();
    } catch (error) {
      const status = statusOf(error);
      if (status === 404) return undefined;
      throw this.#failure(what, error);
    }
  }

  async #ask<Answer>(what: string, question: () => Promise<Answer>): Promise<Answer> {
    try {
      return await question();
    } catch (error) {
      throw this.#failure(what, error);
    }
  }

  #failure(what: string, cause: unknown): NightshiftError {
    const status = statusOf(cause);
    const message = `the Docker engine at ${this.#socket} did not ${what}: ${messageOf(cause)}`;
    // A refusal stays one; an engine that is not there may come back.
    const retryable = status === undefined || status >= 500 || status === 409;
    return new NightshiftError("E_SANDBOX_UNAVAILABLE", message, { cause, retryable, data: { status } });
  }
}

/** Each piece is led by eight bytes: its stream, and in the last four its length. */
function piecesOf(log: Buffer): Buffer {
  const pieces: Buffer[] = [];
  for (let at = 0; at + 8 <= log.length; ) {
    const end = at + 8 + log.readUInt32BE(at + 4);
    pieces.push(log.subarray(at + 8, end));
    at = end;
  }
  return Buffer.concat(pieces);
}

function statusOf(error: unknown): number | undefined {
  const status = (error as { readonly statusCode?: unknown } | null)?.statusCode;
  return typeof status === "number" ? status : undefined;
}
