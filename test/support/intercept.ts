/** A real store, or another seam, with a hand on some of its methods: to hold a call, to lose its reply, to do something just before. */

/** How calls are changed; methods that are not named stay as they are. */
export type Interception<Target> = {
  readonly [Method in keyof Target]?: (original: Target[Method]) => Target[Method];
};

/** The target, seen through these. */
export function intercept<Target extends object>(target: Target, interception: Interception<Target>): Target {
  return new Proxy(target, {
    get: (inner, name) => {
      const value = Reflect.get(inner, name) as unknown;
      const original = typeof value === "function" ? value.bind(inner) : value;
      const change = interception[name as keyof Target] as ((original: unknown) => unknown) | undefined;
      return change === undefined ? original : change(original);
    },
  });
}
