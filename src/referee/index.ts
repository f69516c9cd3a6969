/** The referee: what the runtime asks of it. */
export { runPreflight } from "./preflight.ts";
export { ratchet } from "./ratchets/ratchets.ts";
export { giveVerdict } from "./referee.ts";
export { createRunners } from "./runners/runners.ts";
export { refereeTrees } from "./tree/trees.ts";
