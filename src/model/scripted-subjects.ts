/** The backends as subjects of the conformance suite: each in front of something that plays the case's script. */
import type { Clock } from "../core/clock.ts";
import type { Json } from "../core/text.ts";
import { createAnthropicModel } from "./anthropic.ts";
import type { ModelRig, ModelSubject } from "./conformance.ts";
import type { ModelAdapter } from "./contract.ts";
import { createGoogleModel } from "./google.ts";
import { createOpenAICompatibleModel } from "./openai-compatible.ts";
import type { Script } from "./script-schema.ts";
import { createScriptedModel } from "./scripted.ts";
import { startScriptedServer } from "./scripted-server.ts";

type Options = { readonly clock: Clock; readonly idleMs?: number };

const key = (): string => "conformance-key";

/** Subjects by backend name. */
export function modelSubjects(clock: Clock): readonly ModelSubject[] {
  return [
    {
      kind: "scripted",
      clock,
      hasSignatures: true,
      countsCacheWrites: true,
      canOmitUsage: true,
      messagesOf,
      open: async (script, options) => inProcess(script, { clock, ...options }),
    },
    {
      kind: "anthropic",
      clock,
      hasSignatures: true,
      countsCacheWrites: true,
      canOmitUsage: false,
      messagesOf,
      open: (script, options) =>
        behindServer(script, { clock, ...options }, (baseUrl) =>
          createAnthropicModel({ key, baseUrl, clock, ...options }),
        ),
    },
    {
      kind: "google",
      clock,
      hasSignatures: true,
      countsCacheWrites: false,
      canOmitUsage: true,
      messagesOf: contentsOf,
      open: (script, options) =>
        behindServer(script, { clock, ...options }, (baseUrl) =>
          createGoogleModel({ key, baseUrl, clock, ...options }),
        ),
    },
    {
      kind: "openai-compatible",
      clock,
      hasSignatures: false,
      countsCacheWrites: false,
      canOmitUsage: true,
      messagesOf,
      open: (script, options) =>
        behindServer(script, { clock, ...options }, (baseUrl) =>
          createOpenAICompatibleModel({ key, baseUrl, clock, ...options }),
        ),
    },
  ];
}

function inProcess(script: Script, options: Options): ModelRig {
  const adapter = createScriptedModel(script, options);
  return {
    adapter,
    sent: () => adapter.requests.map((request) => JSON.stringify(request)),
    openRequests: () => undefined,
    async [Symbol.asyncDispose]() {},
  };
}

async function behindServer(
  script: Script,
  { clock }: Options,
  adapterAt: (baseUrl: string) => ModelAdapter,
): Promise<ModelRig> {
  const server = await startScriptedServer({ script, clock, port: 0 });
  return {
    adapter: adapterAt(`${server.url}/v1`),
    // Some wires name the model in the address only.
    sent: () => server.requests.map(({ path, body }) => `${body.toString("utf8")} ${path}`),
    openRequests: () => server.openRequests,
    [Symbol.asyncDispose]: () => server.close(),
  };
}

function messagesOf(sent: string): string {
  return listIn(sent, "messages");
}

function contentsOf(sent: string): string {
  return listIn(sent, "contents");
}

/** Cut out of the body, not made again from its value: it is the bytes that matter. */
function listIn(sent: string, field: string): string {
  const body = sent.slice(0, sent.lastIndexOf("}") + 1);
  const name = `"${field}":`;
  const start = body.indexOf(name) + name.length;
  const list = (JSON.parse(body) as { readonly [field: string]: Json })[field];
  const text = body.slice(start, start + JSON.stringify(list).length);
  if (JSON.stringify(JSON.parse(text)) !== JSON.stringify(list))
    throw new Error("the messages were not found");
  return text;
}
