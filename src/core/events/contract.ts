/** The done-condition and what people and the agent say of it: `contract.*`, `preflight.*`. */
import * as z from "zod";
import { content, sequence, text } from "./parts.ts";

/** SHA-256 in hex. */
export const hash: z.ZodType<string> = z.string().regex(/^[0-9a-f]{64}$/);
const commit = z.string().regex(/^[0-9a-f]{40,64}$/);
/** Names a criterion within its contract. */
export const criterionId: z.ZodType<string> = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}$/);
const relativePath = z.string().max(4096);

/** A command whose exit status and test report say whether a criterion is met. */
const check = z.object({
  argv: z.array(z.string().max(32_768)).min(1).max(1000),
  /** Where it runs, relative to the workspace; empty for its top. */
  folder: relativePath,
  /** `argv` is one text for `sh -c`, because it holds characters that only a shell understands. */
  shell: z.boolean(),
  /** Files that the worker never sees: their digest, and where they are put, relative to the workspace. */
  held_out: z.object({ digest: hash, target: relativePath }).optional(),
  /** Ids of tests that need not pass, with `*` for anything: a person has said so. */
  exempt: z.array(z.string().min(1).max(1000)).min(1).max(100).optional(),
});

/** One item of the contract. */
const criterion = z.object({
  id: criterionId,
  description: z.string().min(1).max(4000),
  /** How a person would go about seeing it. */
  steps: z.array(z.string().max(2000)).max(100),
  check: check.nullable(),
  /** `earn`: red on the base; `keep`: green on the base and has to stay so; null: learnt from the base. */
  role: z.enum(["earn", "keep"]).nullable(),
  /** What a judge has to find true, each line by itself; empty for none. */
  rubric: z.array(z.string().min(1).max(2000)).max(50),
  /** Criteria that have to be met before this one is worked on. */
  needs: z.array(criterionId).max(100),
});

/** A program that has to run while a check does. */
const service = z.object({
  argv: z.array(z.string()).min(1).max(1000),
  /** When it can be used: a port that accepts, an address that answers below 400, or a command that exits with 0. */
  ready: z.union([
    z.object({ port: z.int().min(1).max(65_535) }),
    z.object({ url: z.string().max(2048) }),
    z.object({ argv: z.array(z.string()).min(1).max(1000) }),
  ]),
  within_ms: z.int().min(100).max(3_600_000),
});

/** The external done-condition. */
export const contract = z.object({
  goal: z.string().min(1).max(100_000),
  /** Nobody has named another goal than the checks: where all of them are green on the base, there is nothing to do. */
  goal_from: z.literal("checks").optional(),
  constraints: z.array(z.string().min(1).max(4000)).max(100),
  criteria: z.array(criterion).min(1).max(500),
  /** Globs of git's kind, besides those that are always protected and those of the checks' runners. */
  protect: z.array(z.string().max(1000)).max(500),
  protection: z.enum(["strict", "additive", "review"]),
  /** The command whose toolchain and dependencies are to be there; empty for none. */
  setup: z.array(z.string()).max(1000),
  services: z.array(service).max(20),
  /** What to do about a lockfile that the worker has changed. */
  deps: z.enum(["allow", "ask", "deny"]),
  /** When rubrics are graded: only once every check is met, which is what absence means, or whatever checks say. */
  judging: z.enum(["after-checks", "always"]).optional(),
  limits: z.object({
    /** Verdicts that a worker may ask for. */
    verdicts: z.int().min(1).max(10_000),
    /** Wall limit of one check; absent: the larger of ten minutes and three times the base's. */
    check_ms: z.int().min(1000).max(86_400_000).optional(),
    /** Files, and lines, that may be changed before a person has to look; absent: any number. */
    files: z.int().min(1).max(1_000_000).optional(),
    lines: z.int().min(1).max(1_000_000_000).optional(),
  }),
});

/** What a check came to, once. */
export const checkRun = z.object({
  ending: z.enum(["exited", "timed_out", "cancelled", "out_of_memory", "sandbox_lost", "refused"]),
  exit_code: z.int().nullable(),
  duration_ms: z.int().nonnegative(),
  /** The runner that was recognised; null: only the exit status counts. */
  runner: z.string().nullable(),
  counts: z
    .object({
      passed: z.int().nonnegative(),
      failed: z.int().nonnegative(),
      skipped: z.int().nonnegative(),
    })
    .nullable(),
  output: text,
});

/** Why work cannot begin, for programs; what to do about it is in the message. */
const preflightCode = z.enum([
  // The command.
  "not_found",
  "not_executable",
  "timed_out",
  "out_of_memory",
  // Its runner and tests.
  "runner_missing",
  "no_tests",
  "exempt_unknown",
  "held_out_missing",
  // What a person has said of the base.
  "already_green",
  "already_red",
  // What it needs around it.
  "lockfile_missing",
  "setup_failed",
  "toolchain_missing",
  // Our side.
  "sandbox_unavailable",
  "sandbox_lost",
  "failed",
]);

/** Why somebody did this, for the report. */
export const why: z.ZodType<string> = z.string().min(1).max(4000);

/** Schemas of this domain by event type. */
export const contractEvents = {
  /** Work may begin only after it. `hash` is SHA-256 over the contract's canonical JSON. */
  "contract.sealed": z.object({ contract, hash, source: z.string().max(4096) }),
  /** What a person has changed of it, as a whole new text; verdicts on the old one are stale. */
  "contract.amended": z.object({
    contract,
    hash,
    previous_hash: hash,
    reason: why,
    author: z.string().max(256),
    /** The `control.amend_contract` that asked for it. */
    asked_seq: sequence,
    /** Tells the model. */
    content,
  }),
  /** The rendering in the workspace was written anew, because the contract is another one than was sealed. */
  "contract.rendered": z.object({
    path: relativePath,
    /** Of the text. */
    hash,
    contract_hash: hash,
    /** Of the sandbox that it was written in. */
    incarnation: z.string().max(256),
  }),
  /** The rendering in the workspace is not what was written there. It decides nothing; it is only noted. */
  "contract.drifted": z.object({ path: relativePath, expected: hash, found: hash.nullable() }),
  /** The worker says that a criterion cannot be met, or not without somebody's help. A person decides. */
  "contract.declared": z.object({
    criterion: criterionId,
    status: z.enum(["impossible", "blocked"]),
    reason: why,
    evidence: text,
    call: z.string(),
  }),
  /** The checks of the base commit, twice, before the first model request. */
  "preflight.started": z.object({ commit }),
  "preflight.finished": z.object({
    commit,
    criteria: z.array(
      z.object({
        criterion: criterionId,
        status: z.enum(["passed", "failed", "flaky", "error"]),
        role: z.enum(["earn", "keep"]),
        runs: z.array(checkRun).max(10),
        /** Tests of the base that pass, an id a line (JSON strings); what comes later must pass them too. */
        passing: text,
        /** Tests of the base that fail each time and have to pass for an `earn` to be met; written in the same way. */
        failing: text,
        /** Tests that flake on the base, or fail there under a `keep`, and so are not asked for; in the same way. */
        exempt: text,
        /** Tests whose names change from run to run: how many there are. */
        unstable: z.int().nonnegative(),
        wall_ms: z.int().positive(),
      }),
    ),
    /** Why work cannot begin; empty when it can. */
    problems: z.array(
      z.object({ code: preflightCode, criterion: criterionId.optional(), message: z.string().max(4000) }),
    ),
    /** Tells the model how it stands before its first turn. */
    content: content.optional(),
    duration_ms: z.int().nonnegative(),
  }),
} as const;
