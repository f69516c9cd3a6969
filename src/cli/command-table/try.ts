/** Trying things out. */
import type { ConformanceFlags } from "../commands/conformance.ts";
import type { DemoFlags } from "../commands/demo.ts";
import type { DoctorFlags } from "../commands/doctor.ts";
import type { ModelServerFlags } from "../commands/model-server.ts";
import { wholeNumber } from "../flags.ts";
import { type CommandSpec, command, JSON_FLAG, PLACE_FLAGS } from "./spec.ts";

/** Commands about the program itself. */
export const tryCommands: readonly CommandSpec[] = [
  command<DemoFlags>({
    name: "demo",
    description: "see what a kill -9 costs: offline, without a key, under a minute",
    arguments: [],
    flags: [{ name: "keep", description: "keep the folder" }],
    run: async (context, _words, flags) => (await import("../commands/demo.ts")).demo(context, flags),
  }),
  command<DoctorFlags>({
    name: "doctor",
    description: "try out what this machine can do, and say how to mend the rest",
    arguments: [],
    flags: [
      ...PLACE_FLAGS,
      {
        name: "install-service",
        description: "write a service of the user that wakes what becomes due, and start nothing",
      },
      JSON_FLAG,
    ],
    run: async (context, _words, flags) => (await import("../commands/doctor.ts")).doctor(context, flags),
  }),
  command<ConformanceFlags>({
    name: "conformance",
    description: "run the contracts of the seams on this machine: store, sandbox, model",
    arguments: [{ name: "seam", description: "default: all", kind: "optional" }],
    flags: [
      { name: "backend", value: "<name>", description: "default: all of the seam" },
      { name: "json", description: "print only the counts, as JSON" },
    ],
    run: async (context, [seam], flags) =>
      (await import("../commands/conformance.ts")).conformance(context, seam, flags),
  }),
  command<ModelServerFlags>({
    name: "model-server",
    description: "play a script as a model over HTTP, for rehearsals",
    arguments: [{ name: "script", description: "path of a script file", kind: "required" }],
    flags: [
      {
        name: "port",
        value: "<number>",
        description: "default: any free one",
        parse: wholeNumber("--port", 65_535, 0),
      },
    ],
    run: async (context, [script = ""], flags) =>
      (await import("../commands/model-server.ts")).modelServer(context, script, flags),
  }),
];
