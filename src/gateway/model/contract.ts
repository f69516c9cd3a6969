/**
 * The model gateway: how a program in a sandbox reaches a model without its key. It speaks the wires that agents speak
 * (base-URL form), takes the session's token for a key, puts the real one in on the way out, and lets no request go
 * before what it may cost at the most is in the log. It runs in the harness that holds the lease and for one attempt:
 * when either is over, nobody answers.
 */
import type { ModelUsage } from "../../model/contract.ts";

/** A format of requests that agents speak. */
export type GatewayWire = "anthropic" | "openai-chat" | "openai-responses";

/** Where requests of one family of wires go, and with which key. */
export interface GatewayUpstream {
  /** With its version, without a slash at the end: `https://api.anthropic.com/v1`. */
  readonly baseUrl: string;
  /** Asked for each request, and sent nowhere but to `baseUrl`. Undefined: the server wants none. */
  readonly key: () => string | undefined;
}

/** Which models may be asked for. */
export interface ModelPolicy {
  /** Every request goes to this one, whatever it asks for: that is the one whose price is known. */
  readonly forced?: string;
  /** Others are refused; absent: any. */
  readonly allowed?: readonly string[];
}

/** Bounds of one gateway. */
export interface GatewayLimits {
  readonly connections: number;
  readonly bodyBytes: number;
  /** Of one answer. */
  readonly answerBytes: number;
  /** An upstream that says nothing for so long is given up. */
  readonly idleMs: number;
}

/** What a gateway allows unless told otherwise. */
export const GATEWAY_LIMITS: GatewayLimits = {
  connections: 64,
  bodyBytes: 32 * 1024 ** 2,
  answerBytes: 64 * 1024 ** 2,
  idleMs: 10 * 60_000,
};

/** What a request will be at the most, before it is sent. */
export interface RequestWish {
  readonly wire: GatewayWire;
  /** As it is sent on. */
  readonly model: string;
  /** As the agent wrote it. */
  readonly askedModel: string;
  readonly isStreaming: boolean;
  readonly bodyBytes: number;
  readonly maxOutputTokens: number;
}

/** Whether a request may go. */
export type Admission =
  | { readonly status: "reserved"; readonly request: number }
  /** A cap is reached: no later request of this attempt will be let through either. */
  | { readonly status: "refused"; readonly message: string }
  /** The lease or the attempt is over; whoever has taken over may answer on the same address. */
  | { readonly status: "over" };

/** How a request that was let through has ended. */
export interface Settlement {
  readonly request: number;
  readonly outcome: "answered" | "failed" | "interrupted";
  /** Of the answer; absent when there was none. */
  readonly status?: number;
  readonly error?: string;
  /** Absent when the provider never told: then the reservation stays charged. */
  readonly usage?: ModelUsage;
  readonly durationMs: number;
}

/** The log, as the gateway sees it. */
export interface GatewayMeter {
  /** Resolves once the intent is durable; nothing is sent before. */
  reserve(wish: RequestWish): Promise<Admission>;
  /** Takes note of a receipt; exactly one for each reservation. */
  settle(settlement: Settlement): void;
}

/** What a gateway is made of. */
export interface ModelGatewayParts {
  /** By family of wires; a family without one is refused. */
  readonly upstreams: { readonly anthropic?: GatewayUpstream; readonly openai?: GatewayUpstream };
  readonly models: ModelPolicy;
  /** Written into requests that name no cap of their own. */
  readonly maxOutputTokens: number;
  /** What the agent has for a key. Worth nothing anywhere else. */
  readonly token: string;
  readonly meter: GatewayMeter;
  readonly limits: GatewayLimits;
  /** A request came, or a piece of an answer. */
  readonly onSignOfLife: () => void;
  readonly monotonicMs: () => number;
}
