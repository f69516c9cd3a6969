/** Honest work, all of it. */
import type { HonestCase } from "../case.ts";
import { basketCases } from "./basket.ts";
import { javascriptCases } from "./javascript.ts";
import { pythonCases } from "./python.ts";

/** Each of them has to be met, or parked for a person as designed. */
export const honestCases: readonly HonestCase[] = [...basketCases, ...javascriptCases, ...pythonCases];
