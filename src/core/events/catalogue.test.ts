import { describe, expect, test } from "vitest";
import { attemptEvents } from "./attempt.ts";
import { branchEvents } from "./branch.ts";
import { CATALOGUE } from "./catalogue.ts";
import { clientEvents } from "./client.ts";
import { commandEvents } from "./command.ts";
import { contractEvents } from "./contract.ts";
import { environmentEvents } from "./environment.ts";
import { handoffEvents } from "./handoff.ts";
import { harnessEvents } from "./harness.ts";
import { EVENT_VERSIONS, isClientType } from "./index.ts";
import { peopleEvents } from "./people.ts";
import { refereeEvents } from "./referee.ts";
import { sessionEvents } from "./session.ts";
import { workEvents } from "./work.ts";
import { workspaceEvents } from "./workspace.ts";

describe("the catalogue", () => {
  const types = Object.keys(CATALOGUE).sort();

  test("has a version for every type, and a type for every version", () => {
    expect(Object.keys(EVENT_VERSIONS).sort()).toEqual(types);
    for (const version of Object.values(EVENT_VERSIONS)) expect(version).toBeGreaterThanOrEqual(1);
  });

  test("names no type twice", () => {
    const domains = [
      sessionEvents,
      clientEvents,
      workEvents,
      harnessEvents,
      workspaceEvents,
      contractEvents,
      refereeEvents,
      environmentEvents,
      peopleEvents,
      attemptEvents,
      branchEvents,
      handoffEvents,
      commandEvents,
    ];
    expect(domains.flatMap((domain) => Object.keys(domain)).sort()).toEqual(types);
  });

  test("every type is domain.verb", () => {
    for (const type of types) expect(type).toMatch(/^[a-z]+\.[a-z_]+$/);
  });

  test("clients may submit exactly the client types", () => {
    expect(types.filter(isClientType)).toEqual(Object.keys(clientEvents).sort());
  });

  test.each(["user.", "user.constructor", "control.unheard_of", "approval.unheard_of", "__proto__"])(
    "clients may not submit %j",
    (type) => expect(isClientType(type)).toBe(false),
  );
});
