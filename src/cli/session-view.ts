/** A session in view of a person: a line for what happens, and on a terminal the live view below the lines. */
import type { SessionEvent } from "../core/events/index.ts";
import type { SessionId } from "../core/ids.ts";
import type { SessionState } from "../core/state.ts";
import type { OpenHarness } from "../runtime/open.ts";
import type { CommandContext, PlaceFlags } from "./context.ts";
import type { ScreenOptions } from "./live-screen.ts";
import { EventView } from "./render/event-lines.ts";

/** Flags that say how much is shown. */
export interface ViewFlags extends PlaceFlags {
  readonly json?: boolean;
  readonly verbose?: boolean;
}

/** How it is looked at. */
export interface ViewOptions extends ScreenOptions {
  readonly flags: ViewFlags;
  /** Calls that were open before. */
  readonly calls: SessionState["calls"];
}

/** Is shown until it is disposed of. */
export interface SessionView extends AsyncDisposable {
  show(item: SessionEvent): void;
}

/** Is there a terminal on which lines can be redrawn? */
export function hasScreen({ environment }: CommandContext): boolean {
  return process.stdout.isTTY === true && environment.TERM !== "dumb";
}

/** Opens the view that fits where standard output goes. With `--json` nothing is shown. */
export async function openView(
  context: CommandContext,
  harness: OpenHarness,
  sessionId: SessionId,
  options: ViewOptions,
): Promise<SessionView> {
  const { output } = context;
  const { flags, calls } = options;
  if (flags.json === true) return { show: () => undefined, [Symbol.asyncDispose]: async () => undefined };
  const verbose = flags.verbose ?? false;
  const lines = new EventView(
    {
      verbose,
      get width() {
        return output.width;
      },
    },
    calls,
  );
  const screen = hasScreen(context)
    ? await (await import("./live-screen.ts")).openScreen(context, harness, sessionId, options)
    : null;
  return {
    show: (item) => {
      output.print(...lines.lines(item));
      screen?.note(item);
    },
    [Symbol.asyncDispose]: async () => await screen?.[Symbol.asyncDispose](),
  };
}
