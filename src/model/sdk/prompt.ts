/** From a rendered context to the prompt of the AI SDK. The same context always gives the same prompt. */
import type {
  LanguageModelV4FunctionTool,
  LanguageModelV4Prompt,
  SharedV4ProviderOptions,
} from "@ai-sdk/provider";
import type { Json } from "../../core/text.ts";
import type { AssistantBlock, Message, ModelRequest, ToolDescription } from "../contract.ts";

/** What differs between providers. */
export interface PromptStyle {
  /** Key of the provider's own data in our blocks. */
  readonly provider: string;
  /** Key under which the SDK takes that data. */
  readonly optionsKey: string;
  /** Goes with the system prompt and the last tool. */
  readonly prefixOptions?: SharedV4ProviderOptions;
}

type PromptMessage = LanguageModelV4Prompt[number];
type AssistantContent = Extract<PromptMessage, { role: "assistant" }>["content"];
type ToolContent = Extract<PromptMessage, { role: "tool" }>["content"];

/** Providers refuse an empty message, and a person may well send one. */
const EMPTY_MESSAGE = "(empty message)";

/** Renders system prompt and messages. */
export function promptOf(request: ModelRequest, style: PromptStyle): LanguageModelV4Prompt {
  const prompt: LanguageModelV4Prompt = [];
  if (request.system !== "") {
    const options = style.prefixOptions === undefined ? {} : { providerOptions: style.prefixOptions };
    prompt.push({ role: "system", content: request.system.toWellFormed(), ...options });
  }
  for (const message of request.messages) addMessage(prompt, message, style);
  return prompt;
}

function addMessage(prompt: LanguageModelV4Prompt, message: Message, style: PromptStyle): void {
  switch (message.role) {
    case "user": {
      const text = message.text.trim() === "" ? EMPTY_MESSAGE : message.text.toWellFormed();
      prompt.push({ role: "user", content: [{ type: "text", text }] });
      return;
    }
    case "assistant": {
      const content = message.blocks.flatMap((block) => contentOf(block, style));
      // All that remains of a redacted answer may be nothing, which providers refuse.
      if (content.length > 0) prompt.push({ role: "assistant", content });
      return;
    }
    case "tool": {
      const last = prompt.at(-1);
      if (last?.role === "tool") last.content.push(resultOf(message));
      else prompt.push({ role: "tool", content: [resultOf(message)] });
      return;
    }
  }
}

function contentOf(block: AssistantBlock, style: PromptStyle): AssistantContent {
  const data = block.provider?.[style.provider];
  const options = isObject(data)
    ? { providerOptions: { [style.optionsKey]: data } as SharedV4ProviderOptions }
    : {};
  switch (block.type) {
    case "thinking":
      // Thinking of another provider, or one whose proof was redacted, is worth nothing to this one.
      return isObject(data) ? [{ type: "reasoning", text: block.text, ...options }] : [];
    case "text":
      return block.text.trim() === "" ? [] : [{ type: "text", text: block.text.toWellFormed(), ...options }];
    case "tool_call": {
      const input = isObject(block.input) ? block.input : { invalid_input: block.input };
      const toolCallId = wireId(block.providerCallId);
      return [{ type: "tool-call", toolCallId, toolName: block.name, input, ...options }];
    }
  }
}

function resultOf(message: Extract<Message, { role: "tool" }>): ToolContent[number] {
  return {
    type: "tool-result",
    toolCallId: wireId(message.providerCallId),
    toolName: message.name,
    output: { type: message.isError ? "error-text" : "text", value: message.text.toWellFormed() },
  };
}

/** Ids that another provider made up must not be refused by this one. */
function wireId(providerCallId: string): string {
  return providerCallId.replace(/[^A-Za-z0-9_-]/g, "_");
}

function isObject(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Renders the tools. */
export function toolsOf(
  tools: readonly ToolDescription[],
  style: PromptStyle,
): LanguageModelV4FunctionTool[] {
  return tools.map((tool, index) => ({
    type: "function",
    name: tool.name,
    description: tool.description,
    inputSchema: tool.inputSchema as LanguageModelV4FunctionTool["inputSchema"],
    ...(index === tools.length - 1 && style.prefixOptions !== undefined
      ? { providerOptions: style.prefixOptions }
      : {}),
  }));
}
