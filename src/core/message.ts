/** What a context is made of, free of any provider's wire format. */
import type { Json } from "./text.ts";

/** Opaque data that a provider wants back unchanged, keyed by provider name. */
export type ProviderData = { readonly [provider: string]: Json };

/** One block of an assistant message. */
export type AssistantBlock =
  | { readonly type: "thinking"; readonly text: string; readonly provider?: ProviderData }
  | { readonly type: "text"; readonly text: string; readonly provider?: ProviderData }
  | {
      readonly type: "tool_call";
      readonly providerCallId: string;
      readonly name: string;
      readonly input: Json;
      readonly provider?: ProviderData;
    };

/** One message of a context. Tool results follow the message that asked, in call order. */
export type Message =
  | { readonly role: "user"; readonly text: string }
  | { readonly role: "assistant"; readonly blocks: readonly AssistantBlock[] }
  | {
      readonly role: "tool";
      readonly providerCallId: string;
      readonly name: string;
      readonly text: string;
      readonly isError: boolean;
    };

/** A tool as the model is told about it. */
export interface ToolDescription {
  readonly name: string;
  readonly description: string;
  readonly inputSchema: { readonly [key: string]: Json };
}
