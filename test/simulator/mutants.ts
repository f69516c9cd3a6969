/** Placeholder. */
export async function runMutants(_options: { readonly json: boolean; readonly only?: string }): Promise<number> {
  return 0;
}
