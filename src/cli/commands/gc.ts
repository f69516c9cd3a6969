/** `gc`: removes what sessions have left behind, and bounds what is kept to be faster next time. */
import { messageOf } from "../../core/errors.ts";
import { findLeftovers, trimLayers } from "../../runtime/leftovers.ts";
import { type CommandContext, type PlaceFlags, withHarness } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { formatBytes, formatQuantity } from "../render/format.ts";

/** Flags of `gc`. */
export interface GcFlags extends PlaceFlags {
  readonly dryRun?: boolean;
  readonly keep?: number;
  readonly json?: boolean;
}

const KEEP_BYTES = 20 * 1024 ** 3;

/** Says what goes, and what could not. */
export function gc(context: CommandContext, flags: GcFlags): Promise<number> {
  return withHarness(context, flags, async (harness, settings) => {
    const { output } = context;
    const { stateFolder } = settings;
    const workspaces = await harness.workspaces();
    const leftovers = await findLeftovers({ store: harness.store, stateFolder, workspaces });
    const rows: { readonly kind: string; readonly description: string; readonly outcome: string }[] = [];
    for (const { kind, description, remove } of leftovers) {
      const outcome = flags.dryRun === true ? "found" : await outcomeOf(remove);
      rows.push({ kind, description, outcome });
      if (flags.json !== true) output.print(`${outcome}  ${kind}  ${description}`);
    }
    const trimmed =
      flags.dryRun === true
        ? { removed: 0, bytes: 0 }
        : await workspaces.trimPristine(flags.keep ?? KEEP_BYTES);
    const layers =
      flags.dryRun === true ? 0 : await trimLayers(stateFolder, harness.clock, flags.keep ?? KEEP_BYTES);
    const failed = rows.filter(({ outcome }) => outcome.startsWith("failed"));
    if (flags.json === true) output.printJson({ leftovers: rows, checkouts: trimmed, layers });
    else {
      output.print(`${formatQuantity(rows.length, "leftover")}, ${formatQuantity(failed.length, "failure")}`);
      if (trimmed.removed > 0)
        output.print(
          `${formatQuantity(trimmed.removed, "checkout")} that nobody uses removed, ${formatBytes(trimmed.bytes)}`,
        );
      if (layers > 0) output.print(`${formatQuantity(layers, "dependency layer")} removed`);
    }
    return failed.length === 0 ? EXIT.ok : EXIT.unavailable;
  });
}

async function outcomeOf(remove: () => Promise<boolean>): Promise<string> {
  try {
    return (await remove()) ? "removed" : "in use";
  } catch (error) {
    return `failed (${messageOf(error)})`;
  }
}
