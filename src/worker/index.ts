/** Workers: the contract and the built-in one. */
export type { TurnRequest, Worker } from "./contract.ts";
export type { LoopParts } from "./loop.ts";
export { createLoopWorker } from "./loop.ts";
