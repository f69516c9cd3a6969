/** Telling people who are away. */
import type { Notice } from "../../core/people/state.ts";
import type { NoticeTarget } from "../../core/step.ts";
import type { Json } from "../../core/text.ts";

/** One thing to tell. */
export interface Notification {
  /** The same for every try to tell the same thing: whoever has seen it may ignore it. */
  readonly id: string;
  readonly kind: Notice;
  /** When it happened. */
  readonly at: number;
  readonly data: { readonly [field: string]: Json };
}

/** What became of it. */
export interface Delivery {
  readonly isDelivered: boolean;
  readonly tries: number;
  /** Why not; never a secret, nor an address that may hold one. */
  readonly detail: string;
}

/** Those who are to be told, and the way to them. */
export interface Notifier {
  readonly targets: readonly NoticeTarget[];
  /** Tries a few times, for half a minute at the most. Never throws but for the signal. */
  send(target: string, notification: Notification, signal: AbortSignal): Promise<Delivery>;
}

/** One who is to be told, as the user's config file says. */
export interface TargetConfig {
  readonly name: string;
  readonly on: readonly Notice[];
  readonly webhook?: string | undefined;
  /** Name of the environment variable that holds the secret of the web hook. */
  readonly secret_variable?: string | undefined;
  readonly command?: readonly string[] | undefined;
}
