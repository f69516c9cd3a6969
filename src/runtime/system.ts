/** The real clocks, chance and process identity: the one place (besides backends) that asks the machine. */
import { randomBytes } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { uptime } from "node:os";
import { setTimeout as sleepFor } from "node:timers/promises";
import type { Chance, Clock } from "../core/clock.ts";
import type { Owner } from "../store/contract.ts";

/** Node's timers take at most this long. */
const TIMER_MAX_MS = 2_147_483_647;

/** The machine's clocks. On Linux `hrtime` stands still during sleep and uptime does not. */
export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => Number(process.hrtime.bigint()) / 1e6,
  bootMs: () => uptime() * 1000,
  async sleep(ms, signal) {
    try {
      await sleepFor(
        Math.min(Math.max(0, ms), TIMER_MAX_MS),
        undefined,
        signal === undefined ? {} : { signal },
      );
    } catch (error) {
      throw signal?.aborted ? signal.reason : error;
    }
  },
};

const ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz";

/** The machine's randomness. */
export const systemChance: Chance = {
  unique(length) {
    let text = "";
    // 252 is the largest multiple of 36 in a byte: larger values are thrown away, so that no character is favoured.
    while (text.length < length) {
      for (const byte of randomBytes(length))
        if (byte < 252 && text.length < length) text += ALPHABET[byte % 36];
    }
    return text;
  },
};

/** Sortable and unique: nine characters of time, fifteen of chance. */
export function uniqueSuffix(clock: Clock, chance: Chance): string {
  return clock.wallMs().toString(36).padStart(9, "0") + chance.unique(15);
}

/** This process as an owner of leases. */
export function systemOwner(harness: string): Owner {
  return {
    harness,
    bootId: readText("/proc/sys/kernel/random/boot_id"),
    pidNamespace: readLink("/proc/self/ns/pid"),
    pid: process.pid,
    startTime: processStartTime(process.pid) ?? "",
  };
}

/**
 * Is that harness certainly gone? Unknown counts as alive: then the lease must expire first.
 */
export function isOwnerDead(owner: Owner, self: Owner): boolean {
  if (owner.bootId !== self.bootId && owner.bootId !== "" && self.bootId !== "") return true;
  if (owner.pidNamespace !== self.pidNamespace || owner.startTime === "" || owner.bootId === "") return false;
  const startTime = processStartTime(owner.pid);
  return startTime === undefined || startTime !== owner.startTime;
}

/** Field 22 of `/proc/PID/stat`; undefined when there is no such process (or it is a zombie of the kernel's kind). */
function processStartTime(pid: number): string | undefined {
  const stat = readText(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return "";
  }
}

function readLink(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}
