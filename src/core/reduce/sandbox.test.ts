import { describe } from "vitest";
import {
  destroyed,
  destroyRequested,
  resume,
  SANDBOX,
  SERVICES_HASH,
  sandboxLost,
  sandboxReady,
  sandboxRequested,
  sandboxRescheduled,
  servicesFailed,
  servicesReady,
  servicesRequested,
} from "../../../test/support/events.ts";
import { asking, askingWithSandbox } from "../../../test/support/logs.ts";
import { reduceTable } from "../../../test/support/reduce-table.ts";
import type { SessionState } from "../state.ts";

describe("the sandbox", () => {
  const ready = askingWithSandbox();
  const is = (changes: object) => (before: SessionState) => ({ sandbox: { ...before.sandbox!, ...changes } });
  reduceTable([
    {
      name: "is requested",
      before: asking().slice(0, 6),
      event: sandboxRequested(),
      changes: {
        sandboxes: 1,
        sandbox: {
          id: SANDBOX as never,
          backend: "test",
          status: "requested",
          incarnation: "",
          handle: null,
          environment: null,
          services: null,
          failures: 0,
          failureCode: "",
          resumeAt: null,
          decidedAt: 0,
        },
      },
    },
    {
      name: "is ready",
      before: asking(),
      event: sandboxReady(),
      changes: is({ status: "ready", incarnation: "i1", handle: { at: "i1" } }),
    },
    {
      name: "is lost",
      before: ready,
      event: sandboxLost("E_X"),
      changes: is({ status: "lost", failures: 1, failureCode: "E_X" }),
    },
    { name: "is lost once", before: [...ready, sandboxLost("E_X")], event: sandboxLost("E_Y"), changes: {} },
    {
      name: "is requested again: it keeps its place and its failures",
      before: [...ready, sandboxLost("E_X")],
      event: sandboxRequested(),
      changes: is({ status: "requested", incarnation: "" }),
    },
    {
      name: "is to be tried again later",
      before: [...ready, sandboxLost("E_X")],
      event: sandboxRescheduled(9000, 7000),
      changes: is({ resumeAt: 9000, decidedAt: 7000 }),
    },
    { name: "but not one that is not lost", before: ready, event: sandboxRescheduled(9, 7), changes: {} },
    {
      name: "but not another one",
      before: [...ready, sandboxLost("E_X")],
      event: sandboxRescheduled(9, 7, 1, "sbox_other"),
      changes: {},
    },
    {
      name: "is tried again: the wait is over",
      before: [...ready, sandboxLost("E_X"), sandboxRescheduled(9000, 7000)],
      event: sandboxRequested(),
      changes: is({ status: "requested", incarnation: "", resumeAt: null, decidedAt: 0 }),
    },
    {
      name: "is forgiven by a person, wait and all",
      before: [...ready, sandboxLost("E_X"), sandboxRescheduled(9000, 7000)],
      event: resume,
      changes: is({ failures: 0, resumeAt: null }),
    },
    {
      name: "is to have its services",
      before: ready,
      event: servicesRequested(),
      changes: is({ services: { hash: SERVICES_HASH, status: "starting" } }),
    },
    { name: "but not an earlier life of it", before: ready, event: servicesRequested("i0"), changes: {} },
    {
      name: "has its services",
      before: [...ready, servicesRequested()],
      event: servicesReady(),
      changes: is({ services: { hash: SERVICES_HASH, status: "ready" } }),
    },
    {
      name: "lacks one that could not be started",
      before: [...ready, servicesRequested()],
      event: servicesFailed(),
      changes: is({ services: { hash: SERVICES_HASH, status: "failed" } }),
    },
    {
      name: "lacks one that has ended",
      before: [...ready, servicesRequested(), servicesReady()],
      event: servicesFailed(),
      changes: is({ services: { hash: SERVICES_HASH, status: "failed" } }),
    },
    {
      name: "does not get it back",
      before: [...ready, servicesRequested(), servicesFailed()],
      event: servicesReady(),
      changes: {},
    },
    { name: "has none that nobody asked for", before: ready, event: servicesReady(), changes: {} },
    {
      name: "has none any more when it is made again",
      before: [...ready, servicesRequested(), servicesReady(), sandboxLost("E_X")],
      event: sandboxRequested(),
      changes: is({ status: "requested", incarnation: "", services: null }),
    },
    { name: "is to be removed", before: ready, event: destroyRequested(), changes: is({ status: "ending" }) },
    {
      name: "cannot be lost then",
      before: [...ready, destroyRequested()],
      event: sandboxLost(),
      changes: {},
    },
    { name: "nor be ready", before: [...ready, destroyRequested()], event: sandboxReady(), changes: {} },
    {
      name: "is gone",
      before: [...ready, destroyRequested()],
      event: destroyed(),
      changes: { sandbox: null },
    },
    { name: "is another one", before: ready, event: destroyed("sbox_other"), changes: {} },
    { name: "is another one, too", before: ready, event: destroyRequested("sbox_other"), changes: {} },
  ]);
});
