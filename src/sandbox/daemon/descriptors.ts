/**
 * Descriptors for processes that will have many. The kernel gives a process a larger table when it runs out of numbers,
 * and once there are threads it waits for all processors first, 10 ms and more each time. Node has threads from its
 * first moment, so its table has to be large before: it is, when it is started with a descriptor of a high number.
 */
import type { IOType } from "node:child_process";

/** The highest number that fits; further ones cost one more wait each time their count doubles. */
export const LAST_DESCRIPTOR = 255;

/** The `stdio` of a process that is started with these, by number, and no others. */
export function placeDescriptors(descriptors: {
  readonly [number: number]: IOType | number;
}): (IOType | number)[] {
  return Array.from({ length: LAST_DESCRIPTOR + 1 }, (_, number) => descriptors[number] ?? "ignore");
}
