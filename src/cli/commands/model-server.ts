/** `model-server`: the scripted model over HTTP, for programs that only know an address. */
import { resolve } from "node:path";
import { serveScript } from "../../runtime/registry.ts";
import { systemClock } from "../../runtime/system.ts";
import type { CommandContext } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { Interruption } from "../interruption.ts";

/** Flags of `model-server`. */
export interface ModelServerFlags {
  readonly port?: number;
}

/** Serves until it is interrupted. The first line of output is the address. */
export async function modelServer(
  context: CommandContext,
  script: string,
  flags: ModelServerFlags,
): Promise<number> {
  using interruption = new Interruption();
  await serveScript(resolve(context.directory, script), {
    port: flags.port ?? 0,
    clock: systemClock,
    signal: interruption.signal,
    onListening: (url) => {
      context.output.print(url);
      context.output.note(
        `speaks ${url}/v1/messages and ${url}/v1/chat/completions; keys are not checked`,
        `try: ANTHROPIC_API_KEY=none nightshift run --model anthropic:any --base-url ${url}/v1 "..."`,
      );
    },
  });
  return EXIT.ok;
}
