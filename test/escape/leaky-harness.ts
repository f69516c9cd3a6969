// A harness that was started by somebody who forgot to close a folder of the machine.
import { readdirSync } from "node:fs";
import { systemClock } from "../../src/runtime/system.ts";
import { bubblewrapSubjects } from "../../src/sandbox/bubblewrap-subjects.ts";
import { Bench } from "../../src/sandbox/conformance/subject.ts";
import { processSubjects } from "../../src/sandbox/process-subjects.ts";

const [kind] = process.argv.slice(2);
const subject = [...bubblewrapSubjects(systemClock), ...processSubjects(systemClock)].find(
  (each) => each.kind === kind,
);
if (subject === undefined) throw new Error(`there is no ${kind}`);
await using bench = await Bench.open(subject);
const inside = await bench.output("ls /proc/self/fd");
process.stdout.write(JSON.stringify({ own: readdirSync("/proc/self/fd"), inside: inside.split("\n") }));
