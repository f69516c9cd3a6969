/** Loaded with `--import` before anything of the project: waits until the runner of this process is sealed. */
await process[Symbol.for("nightshift.start")]?.();
