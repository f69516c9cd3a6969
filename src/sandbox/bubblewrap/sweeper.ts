/** For the reaper: pods of bubblewrap. */
import { isAlive } from "../daemon/processes.ts";
import type { Sweeper } from "../reaper/contract.ts";
import { sweepPods } from "./launcher.ts";
import { readPodRecord } from "./pod-record.ts";

/** Finds pods by what is noted down of their processes. */
export const podSweeper: Sweeper = {
  find: (folder) => {
    const record = readPodRecord(folder);
    const processes = record === undefined ? [] : [record.outer, record.inner];
    return processes.flatMap((each) => (each !== null && isAlive(each) ? [`pod, process ${each.pid}`] : []));
  },
  sweep: sweepPods,
};
