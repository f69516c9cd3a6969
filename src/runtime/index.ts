/** The runtime: opens harnesses, makes sessions, wakes them. */
export type { ClientParts, SendOptions } from "./client.ts";
export { createSession, sendEvents } from "./client.ts";
export type { ConfigFile, Environment, Settings, SettingsRequest } from "./config.ts";
export { loadSettings } from "./config.ts";
export type { EngineOptions } from "./engine.ts";
export { runEngine } from "./engine.ts";
export { loadState } from "./load.ts";
export type { OpenHarness, OpenOptions } from "./open.ts";
export { openHarness } from "./open.ts";
export type { ModelConfig, ModelName } from "./providers.ts";
export { parseModelName } from "./providers.ts";
export type { Seam } from "./registry.ts";
export { backendNames } from "./registry.ts";
export type { SessionConfig, SessionOptions, SessionPolicy } from "./session-config.ts";
export { STANDARD_POLICY, SYSTEM_PROMPT, sessionConfig, TOOL_NAMES } from "./session-config.ts";
export { systemChance, systemClock } from "./system.ts";
export type { Harness, WakeOptions, WakeResult } from "./wake.ts";
export { wake } from "./wake.ts";
