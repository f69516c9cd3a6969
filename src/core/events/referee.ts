/** What the referee and the judge have found: `verdict.*`, `referee.*`, `judge.*`. */
import * as z from "zod";
import { checkRun } from "./contract.ts";
import { content, reservation, sequence, text, usage } from "./parts.ts";

const hash = z.string().regex(/^[0-9a-f]{64}$/);
const object = z.string().regex(/^[0-9a-f]{40,64}$/);
const criterionId = z.string();
const number = z.int().positive();
const pass = z.enum(["A", "B", "H"]);
const strength = z.enum(["exit-status", "printed", "in-process", "black-box", "held-out", "judged"]);
const status = z.enum(["met", "unmet", "error", "impossible", "blocked", "waived"]);

/** Something in the candidate that a gate has to say about. */
const finding = z.object({
  gate: z.string(),
  path: z.string(),
  detail: z.string().max(4000),
  /** `refuse`: unmet; `review`: a person decides; `note`: only told. */
  effect: z.enum(["refuse", "review", "note"]),
});

/** Schemas of this domain by event type. */
export const refereeEvents = {
  /** The intent; a verdict is about one commit. */
  "verdict.requested": z.object({
    number,
    commit: object,
    reason: z.enum(["asked", "rest", "person", "attempt"]),
  }),
  /** Trees that checks ran on. A: protected paths from the base; B: exactly as delivered. */
  "referee.composed": z.object({
    verdict: number,
    base: object,
    candidate: object,
    tree_a: object,
    tree_b: object,
    findings: z.array(finding).max(10_000),
  }),
  /** One check, once, in a sandbox of its own. H: with files that the worker never sees. */
  "referee.checked": z.object({
    verdict: number,
    criterion: criterionId,
    pass,
    tree: object,
    command: z.array(z.string()),
    run: checkRun,
    output_hash: hash,
    strength,
    status: z.enum(["met", "unmet", "error"]),
    /** Why, for people and the model; of a held-out check only how many. */
    reason: z.string().max(8000),
    /** The gate that decided, when it was not the check's own exit status. */
    gate: z.string().optional(),
    /** Tests that the base passes and this run did not report as passed; a part of them. */
    missing: z.array(z.string()).max(200),
  }),
  /**
   * Tests whose ids name no file, and files that a person looks at or has approved: which tests the base has without
   * them, run twice. The candidate is asked for these without the files, too.
   */
  "referee.attributed": z.object({
    verdict: number,
    criterion: criterionId,
    paths: z.array(z.string()).min(1).max(10_000),
    /** Of the base, without what is in them. */
    tree: object,
    runs: z.array(checkRun).max(10),
    /** Ids as in `preflight.finished`. */
    passing: text,
    failing: text,
    exempt: text,
    /** Why it tells nothing; then nothing is excused. */
    problem: z.string().max(4000).optional(),
  }),
  /**
   * Tests that the worker has written or changed, on the base's own sources: those that pass there, too, show nothing of
   * the work. Nothing follows from it but a sentence.
   */
  "referee.contrasted": z.object({
    verdict: number,
    criterion: criterionId,
    /** Files of tests that the candidate has added or changed. */
    paths: z.array(z.string()).min(1).max(10_000),
    /** Of the base, with these files; null where nothing was run. */
    tree: object.nullable(),
    run: checkRun.nullable(),
    /** How many tests it reported that the base does not have. */
    tests: z.int().nonnegative(),
    /** Those that passed. Ids as in `preflight.finished`. */
    passing: text,
    /** Why it tells nothing. */
    problem: z.string().max(8000).optional(),
  }),
  /** Counts that may not fall, or rise. */
  "referee.ratcheted": z.object({ verdict: number, findings: z.array(finding).max(10_000) }),
  /** A request of the judge's, with the most that it can come to; it counts for the session's caps. */
  "judge.request_start": z.object({
    verdict: number,
    criterion: criterionId,
    /** Of all that judges have sent in this session. */
    request: number,
    model: z.string(),
    reservation,
  }),
  /** The receipt. Without usage the reservation stays charged, and so it does when there is no receipt. */
  "judge.request_end": z.object({
    request: number,
    outcome: z.enum(["answered", "failed"]),
    model_usage: usage.optional(),
    cost_micro_usd: z.int().nonnegative().optional(),
    duration_ms: z.int().nonnegative(),
  }),
  /** What a model found of one criterion's rubric. */
  "judge.graded": z.object({
    verdict: number,
    criterion: criterionId,
    status: z.enum(["met", "unmet", "error"]),
    model: z.string(),
    items: z.array(
      z.object({
        rubric: z.string(),
        status: z.enum(["met", "unmet"]),
        reason: z.string().max(8000),
        quotes: z.array(z.object({ path: z.string(), text: z.string().max(4000), found: z.boolean() })),
      }),
    ),
    /** Why there is no grade. */
    problem: z.string().max(4000).optional(),
    requests: z.int().nonnegative(),
    cost_micro_usd: z.int().nonnegative(),
    duration_ms: z.int().nonnegative(),
  }),
  /** The receipt: every criterion of the contract, on these trees and under this contract. */
  "verdict.given": z.object({
    number,
    commit: object,
    tree_a: object.nullable(),
    tree_b: object.nullable(),
    contract_hash: hash,
    outcome: z.enum(["met", "unmet", "review", "error"]),
    criteria: z.array(
      z.object({
        criterion: criterionId,
        status,
        strength: strength.nullable(),
        reason: z.string().max(8000),
        evidence: z.array(sequence),
      }),
    ),
    /** What waits for a person before this can be met: each bound to what was looked at. */
    review: z.array(z.object({ item: z.string(), hash, detail: z.string().max(4000), path: z.string() })),
    /** What this verdict does not show, said plainly. */
    gaps: z.array(z.string().max(1000)),
    /** Tells the model. */
    content,
    duration_ms: z.int().nonnegative(),
    problem: text.optional(),
  }),
} as const;
