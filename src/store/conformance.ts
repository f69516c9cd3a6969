/** The store contract as cases: one for each sentence of `contract.ts`. */
import { appendCases } from "./conformance/append.ts";
import { createCases } from "./conformance/create.ts";
import { dayCases } from "./conformance/days.ts";
import { dueCases } from "./conformance/due.ts";
import { leaseCases } from "./conformance/lease.ts";
import { raceCases } from "./conformance/races.ts";
import { readCases } from "./conformance/read.ts";
import { repeatCases } from "./conformance/repeat.ts";
import type { StoreCase } from "./conformance/subject.ts";
import { subscribeCases } from "./conformance/subscribe.ts";

export {
  createStoreSubject,
  type StoreCase,
  type StoreSubject,
  type StoreSurroundings,
} from "./conformance/subject.ts";

/** Every obligation of a store. */
export const storeConformance: readonly StoreCase[] = [
  ...createCases,
  ...appendCases,
  ...repeatCases,
  ...readCases,
  ...leaseCases,
  ...dueCases,
  ...dayCases,
  ...subscribeCases,
  ...raceCases,
];
