/**
 * Names the code that folds. A snapshot made by other code is thrown away; a test recomputes this from the sources
 * of the fold and says what to write here.
 */
export const FOLD_DIGEST = "57cb1b249a5df721";
