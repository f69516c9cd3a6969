import { expect, test } from "vitest";
import { listPrice } from "./list-price.ts";

test("a model of a list has a price for each kind of token", async () => {
  const price = await listPrice("openai", "gpt-5");
  expect(price).toEqual({
    input: 1_250_000,
    output: 10_000_000,
    cache_read: 125_000,
    cache_write: 1_250_000,
  });
});

test("where large requests cost more, the dearest price counts", async () => {
  const price = await listPrice("anthropic", "claude-sonnet-4-5");
  expect(price).toMatchObject({ input: 6_000_000, output: 22_500_000, cache_write: 7_500_000 });
});

test("what no list has, has no price", async () => {
  expect(await listPrice("anthropic", "no-such-model")).toBeUndefined();
  expect(await listPrice("my-own-server", "gpt-5")).toBeUndefined();
});
