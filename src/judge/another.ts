/**
 * Which model grades where nobody names one: of the same provider, so that the same key opens it, and of another family
 * than the one that did the work, which finds its own work good.
 */

/** A family by the word that its models' ids have, and the one of them that grades. */
interface Family {
  readonly word: string;
  readonly judge: string;
}

/**
 * By provider; the first family that is not the worker's own is taken. A public list has the price of each, and none is
 * a preview, which its provider may take away from one day to the next.
 */
const FAMILIES: { readonly [provider: string]: readonly Family[] } = {
  anthropic: [
    { word: "opus", judge: "claude-opus-5" },
    { word: "sonnet", judge: "claude-sonnet-5" },
  ],
  openai: [
    { word: "gpt-5.4", judge: "gpt-5.4" },
    { word: "gpt-5.2", judge: "gpt-5.2" },
  ],
  google: [
    { word: "pro", judge: "gemini-2.5-pro" },
    { word: "flash", judge: "gemini-3.5-flash" },
  ],
};

/** Undefined where nothing is known of the provider's models. */
export function anotherModel(provider: string, id: string): string | undefined {
  const families = Object.hasOwn(FAMILIES, provider) ? FAMILIES[provider] : undefined;
  return families?.find(({ word }) => !id.includes(word))?.judge;
}
