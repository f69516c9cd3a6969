/** The pure core: events, fold, policy, context. Import types and functions from here. */

export { bodyHash, eventHash, genesisHash } from "./chain.ts";
export type { Chance, Clock } from "./clock.ts";
export type { ConformanceCase, ConformanceSkip } from "./conformance.ts";
export type { Context } from "./context.ts";
export { CONTEXT_TYPES, emptyContext, reduceContext } from "./context.ts";
export type { Intent, Now, Step } from "./decide.ts";
export { decide } from "./decide.ts";
export type { ErrorCode } from "./errors.ts";
export { ERROR_CODES, isNightshiftError, NightshiftError } from "./errors.ts";
export type { ClientEventInput, EventBody, EventInput, EventType, SessionEvent } from "./events/index.ts";
export { EVENT_VERSIONS, event, isClientType } from "./events/index.ts";
export type { CallId, ExecId, SandboxId, Sequence, SessionId, ThreadId } from "./ids.ts";
export { callId, eventId, execId, isSessionId, sandboxId, sessionId, threadId } from "./ids.ts";
export type { AssistantBlock, Message, ProviderData, ToolDescription } from "./message.ts";
export { foldEvents, reduce } from "./reduce.ts";
export type { Redactor, SealedEvent } from "./seal.ts";
export { NO_REDACTION, seal } from "./seal.ts";
export type { SessionState } from "./state.ts";
export { emptyState } from "./state.ts";
export { upcast } from "./upcast.ts";
