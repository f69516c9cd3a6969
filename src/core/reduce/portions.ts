/**
 * Lists that grow at their end and are never changed. Of an array every addition would copy all of it, which for
 * thousands of waiting messages takes longer than everything else; here it copies one portion. Plain data, so that a
 * snapshot may hold one.
 */

/** Oldest first; no portion is empty. */
export type Portions<T> = readonly (readonly T[])[];

const PORTION = 200;

/** The list with one more at its end. */
export function withLast<T>(list: Portions<T>, item: T): Portions<T> {
  const last = list.at(-1);
  if (last === undefined || last.length >= PORTION) return [...list, [item]];
  return list.with(-1, [...last, item]);
}

/** The list of those that are kept. */
export function kept<T>(list: Portions<T>, keep: (item: T) => boolean): Portions<T> {
  return list.map((portion) => portion.filter(keep)).filter((portion) => portion.length > 0);
}

/** How many there are. */
export function countOf(list: Portions<unknown>): number {
  return list.reduce((sum, portion) => sum + portion.length, 0);
}
