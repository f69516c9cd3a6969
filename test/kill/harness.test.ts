import { expect, test } from "vitest";
import { runCampaign, type Victim } from "./harness/campaign.ts";

test.each<Victim>(["harness", "daemon", "both"])(
  "nothing acknowledged is lost and no effect is repeated when SIGKILL hits: %s",
  async (victim) => {
    const outcome = await runCampaign({ kills: 6, victim, seed: 7, log: () => undefined });
    expect(outcome.problems).toEqual([]);
    expect(outcome.kills).toBeGreaterThanOrEqual(6);
  },
);
