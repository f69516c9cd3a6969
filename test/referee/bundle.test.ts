/** Evidence bundles: what a stranger can see offline, and that no byte of one can change unseen. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { bodyHash } from "../../src/core/chain.ts";
import { contractHash } from "../../src/core/contract/contract.ts";
import { isNightshiftError } from "../../src/core/errors.ts";
import { type EventInput, event } from "../../src/core/events/index.ts";
import { type CheckedBundle, checkBundle } from "../../src/runtime/bundle/check.ts";
import { type Bundle, readBundle, writeBundle } from "../../src/runtime/bundle/format.ts";
import { unpackCommits } from "../../src/workspace/index.ts";
import { calm, temporaryFolder } from "../support/repositories.ts";
import { Court, check, contractOf } from "./court.ts";
import { CourtRecord } from "./record.ts";

const project = { "answer.txt": "41\n", "noise.txt": "x".repeat(30_000) };
const contract = contractOf({
  id: "answer",
  check: check("sh", "-c", "cat noise.txt; grep -q 42 answer.txt"),
});

async function verified(): Promise<CourtRecord> {
  const court = await Court.open("process", project);
  const record = await CourtRecord.open(court, contract);
  expect((await record.verdict(await court.put({ "answer.txt": "43\n" }))).outcome).toBe("unmet");
  expect((await record.verdict(await court.put({ "answer.txt": "42\n" }))).outcome).toBe("met");
  return record;
}

let places = 0;
async function looked(archive: Buffer, expectedHead?: Bundle["head"]): Promise<CheckedBundle> {
  const root = temporaryFolder();
  return await checkBundle(readBundle(archive), {
    ...(expectedHead !== undefined && { expectedHead }),
    unpack: (pack, base) => {
      const folder = join(root, `${++places}`);
      mkdirSync(folder);
      return unpackCommits({ PATH: process.env.PATH }, folder, pack, base, calm);
    },
  });
}

test("a bundle is sound, shows the verdict, its evidence and its files, and holds against a head", async () => {
  const record = await verified();
  const archive = await record.bundle();
  const { head } = readBundle(archive);
  const { verdict, story, commits } = await looked(archive, head);
  expect(verdict.body.outcome).toBe("met");
  expect(story.verdicts.map(({ body }) => body.outcome)).toEqual(["unmet", "met"]);
  expect(String(await commits.reader(verdict.body.commit).read("answer.txt"))).toBe("42\n");
  expect(String(await commits.reader(verdict.request.base).read("answer.txt"))).toBe("41\n");
  // Made again, it is the same.
  expect((await record.bundle()).equals(archive)).toBe(true);
  const other = { ...head, hash: "0".repeat(64) };
  await expect(looked(archive, other)).rejects.toMatchObject({
    code: "E_BUNDLE_INVALID",
    message: expect.stringContaining(`event ${head.seq} is not the one that the given head names`),
  });
});

test("any byte that is changed is noticed, and the first bad thing is named", async () => {
  const archive = await (await verified()).bundle();
  let state = 20_261_130;
  const next = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state % below;
  };
  const named: Record<string, number> = {};
  for (let round = 0; round < 200; round++) {
    const damaged = Buffer.from(archive);
    const at = next(damaged.length);
    damaged[at] = (damaged[at] ?? 0) ^ (1 << next(8));
    const failure = await looked(damaged).catch((error: unknown) => error);
    expect(isNightshiftError(failure, "E_BUNDLE_INVALID"), `byte ${at}: ${String(failure)}`).toBe(true);
    const kind =
      /event \d+|objects\.pack|blob|header|byte|bundle\.json/.exec((failure as Error).message)?.[0] ?? "?";
    const group = kind.replace(/\d+/, "n");
    named[group] = (named[group] ?? 0) + 1;
  }
  expect(Object.keys(named)).not.toContain("?");
  expect(named["event n"]).toBeGreaterThan(50);
});

test("an approval that an amendment has overtaken counts for nobody, and what is not there is said", async () => {
  const court = await Court.open("process", project);
  const looks = { ...contract, protect: ["answer.txt"], protection: "review" as const };
  const record = await CourtRecord.open(court, looks);
  const first = await court.put({ "answer.txt": "42\n" });
  const { review } = await record.verdict(await court.put({ "more.txt": "1\n" }));
  const [item] = review;
  if (item === undefined) throw new Error("a protected file was changed");
  const amended = { ...looks, constraints: ["keep it short"] };
  const asked = { contract: amended, contractHash: contractHash(amended) };
  await record.add(
    event("contract.amended", {
      ...{ contract: amended, hash: asked.contractHash, previous_hash: contractHash(looks) },
      ...{
        reason: "it was too wide",
        author: "ada",
        asked_seq: 1,
        content: [{ type: "text", text: "anew" }],
      },
    }),
  );
  await record.add(
    event("approval.decided", { item: item.item, hash: item.hash, result: "approve", author: "ada" }),
  );
  await record.add(event("preflight.finished", await court.preflight(amended)));
  // The same change waits again.
  expect((await record.verdict(first, asked)).review).toMatchObject([{ hash: item.hash }]);
  const { verdict, followed, uncompared } = await looked(await record.bundle());
  expect(verdict.body.outcome).toBe("review");
  // The commit of the verdict before is no ancestor of this one.
  expect({ followed, uncompared }).toEqual({ followed: 1, uncompared: 1 });
});

describe("a bundle that was made to deceive", () => {
  /** The chain is whole, for whoever writes the log can write anything. */
  async function forged(withEvidence: boolean): Promise<Buffer> {
    const court = await Court.open("process", project);
    const record = await CourtRecord.open(court, contract);
    const commit = await court.put({ "answer.txt": "43\n" });
    const honest = await record.verdict(commit);
    await record.add(event("verdict.requested", { number: 2, commit, reason: "asked" }));
    const evidence: number[] = [];
    for (const fact of await record.store.getEvents(court.session, { after: 0, limit: 1000 })) {
      if (!withEvidence || !/^referee\./.test(fact.type)) continue;
      const seq = await record.add({ type: fact.type, body: { ...fact.body, verdict: 2 } } as EventInput);
      if (fact.type === "referee.checked") evidence.push(seq);
    }
    const criteria = honest.criteria.map((each) => ({
      ...each,
      status: "met" as const,
      evidence: withEvidence ? evidence : each.evidence,
    }));
    await record.add(event("verdict.given", { ...honest, number: 2, outcome: "met", criteria }));
    return await record.bundle();
  }

  test("whose verdict does not follow from its evidence", async () => {
    await expect(looked(await forged(true))).rejects.toMatchObject({
      message: expect.stringMatching(/verdict 2 .* does not follow from its evidence: answer is unmet/),
    });
  });

  test("whose verdict leans on the evidence of another one", async () => {
    await expect(looked(await forged(false))).rejects.toMatchObject({
      message: expect.stringMatching(
        /verdict 2 \(event \d+\) names event \d+ as evidence, which is none of it/,
      ),
    });
  });

  test("whose runs were of another command", async () => {
    const court = await Court.open("process", project);
    const record = await CourtRecord.open(court, contract);
    const commit = await court.put({ "answer.txt": "43\n" });
    const lax = contractOf({ id: "answer", check: check("true") });
    const { outcome } = await record.verdict(commit, { contract: lax, contractHash: contractHash(contract) });
    expect(outcome).toBe("met");
    await expect(looked(await record.bundle())).rejects.toMatchObject({
      message: expect.stringMatching(/verdict 1 .* leans on event \d+, which ran another command/),
    });
  });

  test("which says that an unmet criterion is met", async () => {
    const court = await Court.open("process", project);
    const record = await CourtRecord.open(court, contract);
    await record.verdict(await court.put({ "answer.txt": "43\n" }));
    const { events, ...rest } = readBundle(await record.bundle());
    const lied = events.map((each) =>
      each.type === "verdict.given" ? { ...each, body: each.body.replaceAll('"unmet"', '"met"') } : each,
    );
    await expect(looked(writeBundle({ ...rest, events: lied }))).rejects.toMatchObject({
      message: expect.stringMatching(/event \d+ does not match its hash/),
    });
    // What was erased keeps its hash, so anything could stand in its place.
    const replaced = lied.map((each, index) => {
      const original = events[index]?.body ?? "";
      if (each.body === original) return each;
      const erasure = { bodyHash: bodyHash(original), replacementHash: bodyHash(each.body) };
      return { ...each, erasure };
    });
    await expect(looked(writeBundle({ ...rest, events: replaced }), rest.head)).rejects.toMatchObject({
      message: expect.stringMatching(/verdict 1 follows from event \d+, which was erased/),
    });
  });

  test("from which a commit was taken, or to which another one belongs", async () => {
    const record = await verified();
    const bundle = readBundle(await record.bundle());
    await expect(looked(writeBundle({ ...bundle, pack: Buffer.alloc(0) }))).rejects.toMatchObject({
      message: expect.stringContaining("the commits cannot be read"),
    });
    const court = await Court.open("process", { "other.txt": "" });
    const foreign = await CourtRecord.open(court, contractOf({ id: "answer", check: check("true") }));
    await foreign.verdict(await court.put({ "more.txt": "1" }));
    const { pack } = readBundle(await foreign.bundle());
    await expect(looked(writeBundle({ ...bundle, pack }))).rejects.toMatchObject({
      code: "E_BUNDLE_INVALID",
    });
  });
});
