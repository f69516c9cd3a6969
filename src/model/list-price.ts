/** What a model costs by the public lists of prices, as far as this release knows them. */
import type { TieredPrices } from "@pydantic/genai-prices";
import type { Price } from "./price.ts";

const MICRO = 1_000_000;

/**
 * Undefined for a model that no list has. Where the price depends on the size of the request, the dearest one counts: a
 * cap must hold for every request. The list is large, so it is loaded only here.
 */
export async function listPrice(provider: string, id: string): Promise<Price | undefined> {
  const { calcPrice } = await import("@pydantic/genai-prices");
  const found = calcPrice({ input_tokens: 1, output_tokens: 1 }, id, { providerId: provider });
  if (found === null) return undefined;
  const { input_mtok, output_mtok, cache_read_mtok, cache_write_mtok } = found.model_price;
  const [input, output] = [dearest(input_mtok), dearest(output_mtok)];
  if (input === undefined || output === undefined) return undefined;
  return {
    input: Math.round(input * MICRO),
    output: Math.round(output * MICRO),
    cache_read: Math.round((dearest(cache_read_mtok) ?? input) * MICRO),
    cache_write: Math.round((dearest(cache_write_mtok) ?? input) * MICRO),
  };
}

function dearest(price: number | TieredPrices | undefined): number | undefined {
  if (price === undefined || typeof price === "number") return price;
  return Math.max(price.base, ...price.tiers.map((tier) => tier.price));
}
