/** What was changed: what may act on whoever checks it out first, then the rest by risk. */

import { type Form, firstOf, type Section } from "./document.ts";
import { type RankedFile, rankFiles } from "./files.ts";
import type { ReportSource } from "./source.ts";

const EXECUTING_MAX = 30;
const FILES_MAX = 30;

/** No file named is not the same as no file changed. */
const GONE = "not known: the files of this session are not on this machine (any more)";

/** Files that a person's own machine runs when somebody opens, installs, builds or commits in the checkout. */
export function executingSection({ changed }: ReportSource, form: Form): Section {
  const title = "Changed files that may run on your machine";
  if (changed === null) return { title, items: [GONE] };
  const risky = rankFiles(changed).filter(({ executedBy }) => executedBy !== null);
  const show = ({ file, executedBy }: RankedFile): string =>
    `${form.code(file.path)} (${executedBy}, ${file.change})`;
  return {
    title,
    items: firstOf(risky, EXECUTING_MAX, show, "nightshift diff --name-only"),
  };
}

/** The riskiest first. */
export function filesSection({ changed, account }: ReportSource, form: Form): Section {
  if (changed === null) return { title: "Files", items: [GONE] };
  if (changed.length === 0) return { title: "Files", items: ["none changed"] };
  const ranked = rankFiles(changed);
  const sum = (pick: (each: RankedFile) => number | null): number =>
    ranked.reduce((total, each) => total + (pick(each) ?? 0), 0);
  const isMet = account.verdicts.at(-1)?.outcome === "met";
  const show = ({ file, kind }: RankedFile): string =>
    `${form.code(file.path)} ${file.change}, +${file.added ?? "?"} -${file.removed ?? "?"}, ${kind}${seenBy(kind, isMet)}`;
  const added = sum(({ file }) => file.added);
  const removed = sum(({ file }) => file.removed);
  return {
    title: `Files, ${changed.length} changed`,
    about: `+${added} -${removed}; those that deserve a look come first.`,
    items: firstOf(ranked, FILES_MAX, show, "nightshift diff --stat"),
  };
}

/** A verdict is about what its checks run; no check of code says anything of a text or a picture. */
function seenBy(kind: RankedFile["kind"], isMet: boolean): string {
  if (!isMet) return ", not verified";
  return kind === "code" || kind === "test" || kind === "dependencies" ? "" : ", no check looks at it";
}
