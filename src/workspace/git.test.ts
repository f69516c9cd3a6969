import { expect, test } from "vitest";
import { Git } from "./git.ts";

const never = new AbortController().signal;
const git = new Git(process.env, 10_000);
const HASH_INPUT = ["hash-object", "--stdin"];

test("git may be started before its input is there", async () => {
  const input = Promise.withResolvers<string>();
  const answer = git.text({}, HASH_INPUT, never, { input: input.promise });
  input.resolve("some");
  expect(await answer).toBe(await git.text({}, HASH_INPUT, never, { input: "some" }));
});

test("when its input cannot be made, a run fails for that reason", async () => {
  const reason = new Error("there will be none");
  await expect(git.run({}, HASH_INPUT, never, { input: Promise.reject(reason) })).rejects.toBe(reason);
});
