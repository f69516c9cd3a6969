/**
 * The filter of system calls that everything in a pod is under, as an engine wants it: the same rules by which the
 * filter for bubblewrap is made.
 */
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
} from "../bubblewrap/call-rules.ts";
import { FORBIDDEN_CALLS, MISSING_CALLS } from "../bubblewrap/calls.ts";

interface Argument {
  readonly index: number;
  readonly value: number;
  readonly valueTwo?: number;
  readonly op: "SCMP_CMP_NE" | "SCMP_CMP_MASKED_EQ";
}

interface Rule {
  readonly names: readonly string[];
  readonly action: "SCMP_ACT_ERRNO";
  readonly errnoRet: number;
  /** All of them have to be so. */
  readonly args?: readonly Argument[];
}

const ARCHITECTURES: { readonly [name: string]: string } = {
  x64: "SCMP_ARCH_X86_64",
  arm64: "SCMP_ARCH_AARCH64",
};

/** The kernel looks at the lower half of arguments like these. */
const INTEGER = 0xffff_ffff;
/** The kernel knows no family from here on. */
const FAMILIES_END = 64;

/** The profile for an architecture by Node's name, or undefined when there is none for it. */
export function seccompProfile(architecture: string): string | undefined {
  const name = ARCHITECTURES[architecture];
  if (name === undefined) return undefined;
  const syscalls: readonly Rule[] = [
    refuse(Object.keys(FORBIDDEN_CALLS), EPERM),
    refuse(Object.keys(MISSING_CALLS), ENOSYS),
    ...bitsOf(NAMESPACE_FLAGS).map((bit) => refuse(["clone"], EPERM, [hasBit(0, bit)])),
    ...TERMINAL_INPUT.map((request) => refuse(["ioctl"], EPERM, [is(1, request)])),
    ...unknownFamilies().map((family) => refuse(["socket"], EAFNOSUPPORT, [is(0, family)])),
    refuse(["prlimit64"], EPERM, [{ index: 0, value: 0, op: "SCMP_CMP_NE" }]),
    refuse(ON_PROCESS, EPERM, [is(0, RUNNER)]),
    ...Object.entries(ON_WHICH).map(([call, which]) => refuse([call], EPERM, [is(0, which), is(1, RUNNER)])),
  ];
  return JSON.stringify({ defaultAction: "SCMP_ACT_ALLOW", architectures: [name], syscalls });
}

function refuse(names: readonly string[], errnoRet: number, args?: readonly Argument[]): Rule {
  return { names, action: "SCMP_ACT_ERRNO", errnoRet, ...(args !== undefined && { args }) };
}

function is(index: number, value: number): Argument {
  return { index, value: INTEGER, valueTwo: value, op: "SCMP_CMP_MASKED_EQ" };
}

function hasBit(index: number, bit: number): Argument {
  return { index, value: bit, valueTwo: bit, op: "SCMP_CMP_MASKED_EQ" };
}

function bitsOf(flags: number): number[] {
  return Array.from({ length: 31 }, (_each, index) => 2 ** index).filter((bit) => (flags & bit) !== 0);
}

function unknownFamilies(): number[] {
  const all = Array.from({ length: FAMILIES_END }, (_each, index) => index);
  return all.filter((family) => !SOCKET_FAMILIES.includes(family));
}
