/** A promise about all sessions together. The sums are made here once more, from the events alone. */
import type { EventMoment, Invariant } from "../judge.ts";
import type { ObservedLog } from "../log.ts";
import type { Workload } from "../workload.ts";

const DAY_MS = 86_400_000;

/** No request starts that could take its day above the cap; what it did not need is given back to that day only. */
export function noDayIsOverspent(caps: Workload["dayCaps"]): Invariant {
  const spent = new Map<number, number>();
  const open = new Map<ObservedLog, Map<string, { readonly day: number; readonly tokens: number }>>();
  const add = (day: number, tokens: number): number => {
    const sum = (spent.get(day) ?? 0) + tokens;
    spent.set(day, sum);
    return sum;
  };
  return {
    promise: "no-day-is-overspent",
    onEvent: ({ event, log }: EventMoment) => {
      const day = Math.floor(event.at / DAY_MS);
      if (event.type === "span.model_request_start" || event.type === "gateway.request_started") {
        const { tokens } = event.body.reservation;
        const requests =
          open.get(log) ?? new Map<string, { readonly day: number; readonly tokens: number }>();
        open.set(log, requests.set(nameOf(event), { day, tokens }));
        const sum = add(day, tokens);
        const isOver = sum > (caps?.tokens ?? Number.MAX_SAFE_INTEGER);
        return isOver ? `request ${event.body.request} brings day ${day} to ${sum} tokens` : null;
      }
      if (event.type === "span.model_request_end" || event.type === "gateway.request_ended") {
        const usage = Object.values(event.body.model_usage ?? {});
        const request = open.get(log)?.get(nameOf(event));
        if (request === undefined || usage.length === 0) return null;
        const more = usage.reduce((sum, tokens) => sum + tokens, 0) - request.tokens;
        if (more > 0 || request.day === day) add(day, more);
      }
      return null;
    },
  };
}

/** Of the agent's own requests, and of those through the gateway, which are counted by themselves. */
function nameOf({
  type,
  body,
}: {
  readonly type: string;
  readonly body: { readonly request: number };
}): string {
  return `${type.split(".")[0]} ${body.request}`;
}
