import { describe } from "vitest";
import { publish, publishedBranch, refusedBranch } from "../../../test/support/branch-events.ts";
import {
  preflightFinished,
  sealed,
  verdictGiven,
  verdictRequested,
} from "../../../test/support/contract-events.ts";
import {
  accepted,
  BASE,
  checkpointCreated,
  commitOf,
  created,
  idle,
  running,
  said,
} from "../../../test/support/events.ts";
import { stateOf } from "../../../test/support/logs.ts";
import { decideTable, performs } from "../../../test/support/steps.ts";
import { type EventInput, event } from "../events/index.ts";
import { append, leave } from "../step.ts";

const judged: readonly EventInput[] = [
  created({ checkout: { base: BASE, branch: "fix" } }),
  sealed(),
  said("go"),
  running,
  preflightFinished(),
  accepted(3),
  event("checkpoint.requested", { number: 1, reason: "verdict" }),
  checkpointCreated(1),
  verdictRequested(1, 1),
  verdictGiven(1, "met", { commit: commitOf(1) }),
];
const verified = event("session.status_idle", { stop_reason: { type: "verified", verdict: 1 } });
const making = performs(null, () => ({ kind: "publish", key: "publish/10", seq: 10 }));

describe("the branch of verified work", () => {
  decideTable([
    { name: "is made before the session says so", log: judged, step: making },
    {
      name: "is there, so the session says so",
      log: [...judged, publishedBranch(stateOf(...judged))],
      step: append(verified),
    },
    {
      name: "goes on being made when another one is wanted meanwhile: it may have been moved already",
      log: [...judged, publish],
      step: making,
    },
    {
      name: "is made anew after that",
      log: [...judged, publish, publishedBranch(stateOf(...judged))],
      step: performs(null, () => ({ kind: "publish", key: "publish/11", seq: 11 })),
    },
    {
      name: "is made anew also when it could not be made",
      log: [...judged, publish, refusedBranch(stateOf(...judged))],
      step: performs(null, () => ({ kind: "publish", key: "publish/11", seq: 11 })),
    },
    {
      name: "could not be made, and the session is verified all the same",
      log: [...judged, refusedBranch(stateOf(...judged))],
      step: append(verified),
    },
  ]);
});

const paused = [...judged.slice(0, 8), idle("paused")];

describe("a branch of files that nobody had verified", () => {
  const unverified = [...judged.slice(0, 8), publish];
  const published = [...unverified, publishedBranch(stateOf(...unverified))];
  const met = [...published, verdictRequested(1, 1), verdictGiven(1, "met", { commit: commitOf(1) })];
  decideTable([
    {
      name: "is made anew before the session says that the same files are verified",
      log: met,
      step: performs(null, () => ({ kind: "publish", key: "publish/12", seq: 12 })),
    },
    {
      name: "is made anew once",
      log: [...met, publishedBranch(stateOf(...met))],
      step: append(verified),
    },
  ]);
});

describe("a branch that a person wants", () => {
  decideTable([
    {
      name: "is made of a session that rests",
      log: [...paused, publish],
      step: performs(null, () => ({ kind: "publish", key: "publish/10", seq: 10 })),
    },
    {
      name: "is made, and the session goes on resting",
      log: [...paused, publish, publishedBranch(stateOf(...paused, publish))],
      step: leave(null),
    },
  ]);
});
