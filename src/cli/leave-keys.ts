/** Keys that leave a view which only looks: `q` and Ctrl-C, read one by one and not echoed. */

/** `q`, `Q`, Ctrl-C and Ctrl-D, which in this mode are no signals. */
const LEAVING: ReadonlySet<number> = new Set([0x71, 0x51, 0x03, 0x04]);

/** Listens until it is disposed of; the terminal is then as it was. Where nobody types, nothing is done. */
export function listenForLeaving(leave: () => void): Disposable {
  const { stdin } = process;
  if (!stdin.isTTY) return { [Symbol.dispose]: () => undefined };
  const onData = (bytes: Buffer): void => {
    if (bytes.some((byte) => LEAVING.has(byte))) leave();
  };
  stdin.setRawMode(true);
  stdin.on("data", onData);
  return {
    [Symbol.dispose]: () => {
      stdin.off("data", onData);
      stdin.setRawMode(false);
      stdin.pause();
    },
  };
}
