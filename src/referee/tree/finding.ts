/** What there is to say about a path. */
import type { Finding } from "../../core/contract/contract.ts";

const DETAIL_LENGTH_MAX = 4000;

/** A finding within its limits. */
export function finding(gate: string, path: string, effect: Finding["effect"], detail: string): Finding {
  const text = detail.length > DETAIL_LENGTH_MAX ? `${detail.slice(0, DETAIL_LENGTH_MAX - 1)}…` : detail;
  return { gate, path, effect, detail: text.toWellFormed() };
}

/** Findings of a path as one: nobody is asked twice, and nobody is asked about what is refused anyway. */
export function onePerPath(findings: readonly Finding[]): Finding[] {
  const paths = Map.groupBy(findings, ({ path }) => path);
  return [...paths].flatMap(([path, all]) => {
    const effect = (["refuse", "review", "note"] as const).find((each) =>
      all.some((one) => one.effect === each),
    );
    const [first, ...rest] = all.filter((one) => one.effect === effect);
    if (first === undefined || effect === undefined) return [];
    const detail = [first, ...rest].map((one) => one.detail);
    return [finding(first.gate, path, effect, [...new Set(detail)].join("\n"))];
  });
}
