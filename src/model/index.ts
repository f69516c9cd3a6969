/** Models: the contract, and what its users need besides. Adapters are loaded by name, through the registry. */
export type {
  AnswerBlock,
  AssistantBlock,
  Message,
  ModelAdapter,
  ModelErrorClass,
  ModelFailure,
  ModelPart,
  ModelRequest,
  ModelStopReason,
  ModelUsage,
  ProviderData,
  ToolDescription,
} from "./contract.ts";
export {
  estimateInputTokens,
  estimateMessageBytes,
  estimatePrefixBytes,
  tokensOfBytes,
} from "./estimate.ts";
export { MODEL_KEYS, type ModelKey, type ProviderAccess } from "./keys.ts";
export { loadScript, parseScript } from "./script.ts";
export type { Script, ScriptFault, ScriptTurn } from "./script-schema.ts";
