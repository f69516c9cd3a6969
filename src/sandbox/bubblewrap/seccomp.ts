/** The filter of system calls that everything in a pod is under; given to bubblewrap as bytes. */
import { FIELD, FilterProgram, VERDICT } from "./bpf.ts";
import {
  EAFNOSUPPORT,
  ENOSYS,
  EPERM,
  NAMESPACE_FLAGS,
  ON_PROCESS,
  ON_WHICH,
  RUNNER,
  SOCKET_FAMILIES,
  TERMINAL_INPUT,
} from "./call-rules.ts";
import { FORBIDDEN_CALLS, INSPECTED_CALLS, MISSING_CALLS } from "./calls.ts";

/** Kernel's names of the two, and where their numbers are in the tables. */
const ARCHITECTURES: { readonly [name: string]: { readonly code: number; readonly column: 0 | 1 } } = {
  x64: { code: 0xc000_003e, column: 0 },
  arm64: { code: 0xc000_00b7, column: 1 },
};

/** From here on, x86_64 numbers calls of another calling convention. */
const X32_CALLS = 0x4000_0000;
const SELF = 0;

/** The filter for an architecture by Node's name, or undefined when there is none for it. */
export function systemCallFilter(architecture: string): Buffer | undefined {
  const known = ARCHITECTURES[architecture];
  if (known === undefined) return undefined;
  const { code, column } = known;
  const program = new FilterProgram()
    .load(FIELD.architecture)
    .jumpIf("equal", code, "known architecture")
    .decide(VERDICT.kill)
    .place("known architecture")
    .load(FIELD.call);
  if (column === 0) {
    program.jumpIf("at least", X32_CALLS, "another convention").jumpIf("at least", 0, "known convention");
    program.place("another convention").decide(VERDICT.kill).place("known convention");
  }
  refuse(program, numbersOf(FORBIDDEN_CALLS, column), EPERM);
  refuse(program, numbersOf(MISSING_CALLS, column), ENOSYS);
  inspect(program, column);
  return program.decide(VERDICT.allow).assemble();
}

function numbersOf(
  table: { readonly [name: string]: readonly [number | null, number | null] },
  column: 0 | 1,
): number[] {
  return Object.values(table).flatMap((numbers) => numbers[column] ?? []);
}

/** Jumps reach far enough for one table, so each brings its own end. */
function refuse(program: FilterProgram, numbers: readonly number[], error: number): void {
  const [refused, passed] = [`fails with ${error}`, `passes ${error}`];
  for (const number of numbers) program.jumpIf("equal", number, refused);
  program.jumpIf("at least", 0, passed).place(refused).decide(VERDICT.fail(error)).place(passed);
}

function inspect(program: FilterProgram, column: 0 | 1): void {
  const number = (name: keyof typeof INSPECTED_CALLS): number => INSPECTED_CALLS[name][column];
  program.jumpIf("equal", number("clone"), "clone");
  program.jumpIf("equal", number("ioctl"), "ioctl");
  program.jumpIf("equal", number("socket"), "socket");
  program.jumpIf("equal", number("prlimit64"), "prlimit64");
  for (const name of ON_PROCESS) program.jumpIf("equal", number(name), "on a process");
  program.jumpIf("equal", number("setpriority"), "setpriority");
  program.jumpIf("equal", number("ioprio_set"), "ioprio_set");
  program.decide(VERDICT.allow);

  program.place("clone").load(FIELD.argument0).jumpIf("any bit", NAMESPACE_FLAGS, "not permitted");
  program.decide(VERDICT.allow);
  program.place("ioctl").load(FIELD.argument1);
  for (const request of TERMINAL_INPUT) program.jumpIf("equal", request, "not permitted");
  program.decide(VERDICT.allow);
  program.place("socket").load(FIELD.argument0);
  for (const family of SOCKET_FAMILIES) program.jumpIf("equal", family, "allowed");
  program.decide(VERDICT.fail(EAFNOSUPPORT));
  // Any thread of the runner stands for all of it, and nobody knows their numbers beforehand.
  program.place("prlimit64").load(FIELD.argument0).jumpIf("equal", SELF, "allowed");
  program.decide(VERDICT.fail(EPERM));
  program.place("on a process").load(FIELD.argument0).jumpIf("equal", RUNNER, "not permitted");
  program.decide(VERDICT.allow);
  for (const [name, which] of Object.entries(ON_WHICH)) {
    program.place(name).load(FIELD.argument0).jumpIf("equal", which, `${name} of a process`);
    program.decide(VERDICT.allow).place(`${name} of a process`).load(FIELD.argument1);
    program.jumpIf("equal", RUNNER, "not permitted").decide(VERDICT.allow);
  }
  program.place("not permitted").decide(VERDICT.fail(EPERM));
  program.place("allowed");
}
