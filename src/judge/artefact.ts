/** Text that a worker may have written, made ready for a model to look at. */

/**
 * Characters that a person would not see: control, format and tag characters, variation selectors, private ones,
 * halves of pairs. What hides from a reader may be meant for the model.
 */
const UNSEEN = /\p{Cc}|\p{Cf}|\p{Cs}|\p{Co}|\p{Variation_Selector}|[\u{e0000}-\u{e0fff}]/gu;

/** The same text with everything unseen written out, as `\u{200b}`. Newlines and tabs stay. */
export function visible(text: string): string {
  return text
    .replaceAll("\r\n", "\n")
    .replace(UNSEEN, (character) =>
      character === "\n" || character === "\t"
        ? character
        : `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
    );
}

/** Sets artefact text apart. @param nonce - nobody who wrote the artefact can know it */
export function fence(nonce: string, text: string): string {
  const inside = visible(text).replaceAll(nonce, "(removed)");
  return `[artefact ${nonce} begins]\n${inside}${inside.endsWith("\n") ? "" : "\n"}[artefact ${nonce} ends]`;
}

/** The end of a text, at most so many characters of it. */
export function tail(text: string, charactersMax: number): string {
  if (text.length <= charactersMax) return text;
  return `(${text.length - charactersMax} characters left out)\n${text.slice(-charactersMax)}`;
}
