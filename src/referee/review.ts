/** Review items: what a person decides, bound to exactly what was looked at. */
import { hash } from "node:crypto";

/**
 * Names one change of one path. A decision about it holds for these two contents and for no others.
 * @param base, candidate - object names of git; null where there is no such path
 */
export function reviewHash(path: string, base: string | null, candidate: string | null): string {
  return hash("sha256", JSON.stringify(["nightshift review 1", path, base, candidate]), "hex");
}
