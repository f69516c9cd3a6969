/** For the reaper: containers and volumes of engines. */
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { NightshiftError } from "../../core/errors.ts";
import { replaceFile } from "../daemon/durable.ts";
import { sandboxKey } from "../daemon/record.ts";
import type { Stray, Sweeper } from "../reaper/contract.ts";
import { containerName, FOLDER_LABEL, LABEL } from "./container.ts";
import { removeFromEngine, sweepContainers } from "./docker-pod.ts";
import { DOCKER_RECORD, readDockerRecord } from "./docker-record.ts";
import { Engine } from "./engine.ts";

/** Beside the folders of sandboxes: every engine that one of them was ever made with, one socket a line. */
const ENGINES_FILE = "engines";

/** Notes down an engine before anything is made with it. */
export function rememberEngine(root: string, socket: string): void {
  const known = enginesOf(root);
  if (known.includes(socket)) return;
  mkdirSync(root, { recursive: true, mode: 0o700 });
  replaceFile(join(root, ENGINES_FILE), `${[...known, socket].join("\n")}\n`);
}

/** Finds containers by what is noted down, and by their labels. */
export const containerSweeper: Sweeper = {
  find: (folder) => {
    const record = readDockerRecord(folder);
    return record === undefined ? [] : [`container ${containerName(sandboxKey(folder))} at ${record.engine}`];
  },
  sweep: sweepContainers,
  findStrays: async (root) => {
    const strays = new Map<string, Stray>();
    for (const socket of enginesOf(root).filter((path) => existsSync(path))) {
      const engine = await Engine.open(socket);
      // One that does not run now is asked the next time.
      for (const labels of await engine.labelsWith(LABEL).catch(() => [])) {
        const { [LABEL]: key = "", [FOLDER_LABEL]: folder = "" } = labels;
        const isOurs = dirname(folder) === root && sandboxKey(folder) === key;
        if (!isOurs || existsSync(join(folder, DOCKER_RECORD))) continue;
        const description = `container or volume ${containerName(key)} at ${socket}`;
        strays.set(key, { folder, description, remove: () => removeStray(engine, key, description) });
      }
    }
    return [...strays.values()];
  },
};

async function removeStray(engine: Engine, key: string, description: string): Promise<void> {
  if (await removeFromEngine(engine, key)) return;
  throw new NightshiftError("E_SANDBOX_UNAVAILABLE", `${description} is kept by the engine`, {
    retryable: true,
    hint: "Start the Docker engine anew, then run this again; nothing of the sandbox runs.",
  });
}

function enginesOf(root: string): string[] {
  try {
    const text = readFileSync(join(root, ENGINES_FILE), "utf8");
    return text.split("\n").filter((line) => line !== "");
  } catch {
    return [];
  }
}
