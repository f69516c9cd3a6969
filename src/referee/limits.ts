/** How long and how much; also what a base run is held to, since nobody knows yet what it takes. */

/** Checks of one pass that run at the same time. */
export const PARALLEL_MAX = 2;
/** Runs of one check whose sandbox was lost. */
export const ATTEMPTS_MAX = 2;
/** Wall limit of a check: at least this long … */
export const WALL_MS_MIN = 10 * 60_000;
/** … and so many times as long as on the base. */
export const WALL_FACTOR = 3;
/** Wall limit of a check on the base, unless the contract names one. */
export const BASE_WALL_MS = 60 * 60_000;
/** Kept output of one run. */
export const OUTPUT_BYTES_MAX = 200_000;
/** Making a sandbox. */
export const PROVISION_MS_MAX = 120_000;
/** How long past its own limit a run may stay silent before its sandbox counts as lost. */
export const GRACE_MS = 30_000;
/** A sandbox whose referee is gone ends itself. */
export const NO_CONTACT_MS = 60_000;
/** Tests that a reason names. */
export const NAMED_TESTS_MAX = 20;
/** Missing tests that an event names. */
export const MISSING_TESTS_MAX = 200;
/** Of one name in a reason. */
export const NAME_LENGTH_MAX = 300;
/** Of a reason, in an event. */
export const REASON_LENGTH_MAX = 8000;
/** What the model is told of one output. */
export const TOLD_OUTPUT_LENGTH = 2000;
/** What the model is told in all. */
export const TOLD_LENGTH = 16_000;
