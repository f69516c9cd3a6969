/** Every invariant there is, fresh for one simulation. */
import type { Invariant } from "../judge.ts";
import type { Workload } from "../workload.ts";
import { aFreshContextBeginsWithItsHandoff, attemptsFollowEachOther } from "./attempts.ts";
import { aBranchHoldsWhatWasVerified, branchesAreWhereTheLogSays, verifiedMeansABranch } from "./branches.ts";
import { spendIsReservedFirst } from "./budget.ts";
import { contextIsAFunctionOfTheLog } from "./context.ts";
import { noDayIsOverspent } from "./day.ts";
import {
  aCommandFindsItsServices,
  noSilentRerun,
  nothingRunsAfterItsReceipt,
  nothingStartsWithoutACommittedIntent,
  oneRequestPerIntent,
  zombieExecutesNothing,
  zombieMakesNoSandbox,
} from "./effects.ts";
import { everySessionComesToRest, noMessageStranded, releasedMeansNoSandbox } from "./end.ts";
import { aCheckpointHoldsTheFiles, aSandboxBeginsWithWhatTheLogSays, lostChangesAreNamed } from "./files.ts";
import {
  denseAndChained,
  oneDriver,
  oneReceiptPerIntent,
  snapshotEqualsFullFold,
  zombieWritesNothing,
} from "./log.ts";
import { anAnswerIsGivenOnce, peopleHaveTheirTime, whoeverIsAwayIsTold } from "./people.ts";
import {
  noRunOutlivesItsReceipt,
  nothingIsAskedBeforeItsLimitEnds,
  receiptsTellTheTruth,
  restMeansNothingRuns,
  retriesWaitOnTheRecord,
  secretsAreNeverStored,
} from "./truth.ts";
import {
  aDeniedDeclarationDoesNotCount,
  aVerdictIsAboutACheckpoint,
  everyVerdictIsGiven,
  evidenceComesFirst,
  nothingBeginsBeforeItsPreflight,
  oneReceiptPerVerdict,
  theCapOnVerdictsHolds,
  verifiedMeansAPositiveVerdict,
} from "./verdicts.ts";

/** @returns the invariants, each with an empty memory */
export function createInvariants(dayCaps: Workload["dayCaps"]): Invariant[] {
  return [
    denseAndChained(),
    zombieWritesNothing(),
    oneDriver(),
    oneReceiptPerIntent(),
    snapshotEqualsFullFold(),
    nothingStartsWithoutACommittedIntent(),
    oneRequestPerIntent(),
    noSilentRerun(),
    zombieExecutesNothing(),
    zombieMakesNoSandbox(),
    nothingRunsAfterItsReceipt(),
    aCommandFindsItsServices(),
    contextIsAFunctionOfTheLog(),
    spendIsReservedFirst(),
    noDayIsOverspent(dayCaps),
    secretsAreNeverStored(),
    restMeansNothingRuns(),
    noRunOutlivesItsReceipt(),
    receiptsTellTheTruth(),
    retriesWaitOnTheRecord(),
    nothingIsAskedBeforeItsLimitEnds(),
    aCheckpointHoldsTheFiles(),
    aSandboxBeginsWithWhatTheLogSays(),
    lostChangesAreNamed(),
    nothingBeginsBeforeItsPreflight(),
    verifiedMeansAPositiveVerdict(),
    oneReceiptPerVerdict(),
    evidenceComesFirst(),
    theCapOnVerdictsHolds(),
    aDeniedDeclarationDoesNotCount(),
    aVerdictIsAboutACheckpoint(),
    everyVerdictIsGiven(),
    verifiedMeansABranch(),
    aBranchHoldsWhatWasVerified(),
    branchesAreWhereTheLogSays(),
    anAnswerIsGivenOnce(),
    peopleHaveTheirTime(),
    whoeverIsAwayIsTold(),
    aFreshContextBeginsWithItsHandoff(),
    attemptsFollowEachOther(),
    noMessageStranded(),
    everySessionComesToRest(),
    releasedMeansNoSandbox(),
  ];
}
