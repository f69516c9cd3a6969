/** A real store with a hand on some of its methods: to hold a call, to lose its reply, to do something just before. */
import type { Store } from "../../src/store/contract.ts";

/** How calls are changed; methods that are not named stay as they are. */
export type Interception = { readonly [Method in keyof Store]?: (original: Store[Method]) => Store[Method] };

/** The store, seen through these. */
export function intercept(store: Store, interception: Interception): Store {
  return new Proxy(store, {
    get: (target, name) => {
      const value = Reflect.get(target, name) as unknown;
      const original = typeof value === "function" ? value.bind(target) : value;
      const change = interception[name as keyof Store] as ((original: unknown) => unknown) | undefined;
      return change === undefined ? original : change(original);
    },
  });
}
