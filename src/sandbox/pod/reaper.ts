/**
 * The reaper: a program of some hundred bytes between the runner and each command. What a command leaves behind is
 * given to the next ancestor that asks for it, and only the parent of a process that has ended can make it go away.
 * Node is no such parent: as process 1 it would collect the dead until no process can be started any more. So each
 * command gets a reaper for all its descendants, however they flee; it tells the runner, on descriptor 3, how the
 * command itself ended, and ends with the last of them. It is kept execute-only, so nobody can speak in its place.
 */
import { ARM64_CODE, X64_CODE } from "./reaper-code.ts";

const HEADER_BYTES = 64;
const SEGMENT_BYTES = 56;
const ADDRESS = 0x400000;
const ALIGNMENT = 0x10000;

/** Node's name of an architecture → the number in the file format, and the code. */
const PROGRAMS: { readonly [architecture: string]: readonly [number, readonly string[]] } = {
  x64: [62, X64_CODE],
  arm64: [183, ARM64_CODE],
};

/** The reaper as an executable file, or undefined where there is none for this architecture. */
export function reaperProgram(architecture: string): Buffer | undefined {
  const known = PROGRAMS[architecture];
  if (known === undefined) return undefined;
  const [machine, lines] = known;
  const code = Buffer.from(lines.join(""), "hex");
  const size = HEADER_BYTES + SEGMENT_BYTES + code.length;
  return Buffer.concat([fileHeader(machine), segmentHeader(size), code]);
}

/** ELF, 64 bits, little endian, for Linux: a program that starts right behind its headers. */
function fileHeader(machine: number): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.write("\x7fELF\x02\x01\x01", "latin1");
  header.writeUInt16LE(2, 16);
  header.writeUInt16LE(machine, 18);
  header.writeUInt32LE(1, 20);
  header.writeBigUInt64LE(BigInt(ADDRESS + HEADER_BYTES + SEGMENT_BYTES), 24);
  header.writeBigUInt64LE(BigInt(HEADER_BYTES), 32);
  header.writeUInt16LE(HEADER_BYTES, 52);
  header.writeUInt16LE(SEGMENT_BYTES, 54);
  header.writeUInt16LE(1, 56);
  return header;
}

/** One segment: the whole file, readable and executable. */
function segmentHeader(size: number): Buffer {
  const header = Buffer.alloc(SEGMENT_BYTES);
  header.writeUInt32LE(1, 0);
  header.writeUInt32LE(5, 4);
  header.writeBigUInt64LE(BigInt(ADDRESS), 16);
  header.writeBigUInt64LE(BigInt(ADDRESS), 24);
  header.writeBigUInt64LE(BigInt(size), 32);
  header.writeBigUInt64LE(BigInt(size), 40);
  header.writeBigUInt64LE(BigInt(ALIGNMENT), 48);
  return header;
}
