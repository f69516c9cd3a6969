/** Ids of criteria, and what they say of each other. */
import type { Criterion } from "../contract.ts";
import { type LintComplaint, refusal, shown } from "./complaint.ts";

const ID = /^[a-z0-9][a-z0-9._-]{0,63}$/;

/** Ids that are no ids, or twice there; needs that name nothing, or each other in a circle. */
export function needsComplaints(criteria: readonly Criterion[]): LintComplaint[] {
  return [...idComplaints(criteria), ...unknownNeeds(criteria), ...cycles(criteria)];
}

function idComplaints(criteria: readonly Criterion[]): LintComplaint[] {
  const seen = new Set<string>();
  return criteria.flatMap(({ id }) => {
    const isKnown = seen.has(id);
    seen.add(id);
    if (!ID.test(id))
      return [
        refusal(
          id,
          "bad-id",
          `"${shown(id)}" is no id of a criterion`,
          "Use small letters, digits, dots, dashes and underscores, 64 at the most, a letter or digit first.",
        ),
      ];
    return isKnown
      ? [refusal(id, "duplicate-id", `two criteria have the id "${id}"`, "Give each an id of its own.")]
      : [];
  });
}

function unknownNeeds(criteria: readonly Criterion[]): LintComplaint[] {
  const ids = new Set(criteria.map(({ id }) => id));
  return criteria.flatMap(({ id, needs }) =>
    needs
      .filter((need) => !ids.has(need))
      .map((need) =>
        refusal(
          id,
          "unknown-need",
          `it needs "${shown(need)}", and no criterion has this id`,
          "Correct the id, or remove it from `needs`.",
        ),
      ),
  );
}

/** Takes away what needs nothing that is left, until nothing changes; what is left stands on circles, or behind one. */
function cycles(criteria: readonly Criterion[]): LintComplaint[] {
  const open = new Map(criteria.map(({ id, needs }) => [id, needs]));
  const ids = new Set(open.keys());
  for (let before = -1; before !== open.size; ) {
    before = open.size;
    for (const [id, needs] of open)
      if (needs.every((need) => !open.has(need) || !ids.has(need))) open.delete(id);
  }
  const found: LintComplaint[] = [];
  const told = new Set<string>();
  for (const start of open.keys()) {
    const path = pathFrom(start, open);
    const circle = path.slice(path.indexOf(path.at(-1) ?? ""));
    if (circle.some((id) => told.has(id))) continue;
    for (const id of circle) told.add(id);
    found.push(
      refusal(
        circle[0] ?? start,
        "needs-cycle",
        `it needs itself: ${circle.slice(0, 6).join(" → ")}${circle.length > 6 ? " → …" : ""}`,
        "Remove one of these from `needs`.",
      ),
    );
  }
  return found;
}

/** Follows what is left until something comes a second time. */
function pathFrom(start: string, open: ReadonlyMap<string, readonly string[]>): string[] {
  const path = [start];
  const seen = new Set(path);
  for (;;) {
    const next = open.get(path.at(-1) ?? "")?.find((need) => open.has(need));
    if (next === undefined) return path;
    path.push(next);
    if (seen.has(next)) return path;
    seen.add(next);
  }
}
