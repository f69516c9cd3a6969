/**
 * Overlays as the host sees them: mounted only within a helper process that has a mount namespace of its own, so
 * that nothing stays mounted when it ends, however it ends. Others reach the view through `/proc/<helper>/root`.
 *
 * Root mounts with ordinary marks (`trusted.*`); anybody else in a user namespace, with marks in `user.*`. Whoever
 * mounts the same overlay for a sandbox does it by the same rule, with the same options.
 */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { existsSync, lstatSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Overlay } from "../sandbox/contract.ts";
import { gitFailure } from "./git.ts";

/** `$1` are the options, `$2` is where to mount; what follows is run there. Nothing is put into this text. */
const MOUNT_AND_RUN = 'mount -t overlay overlay -o "$1" "$2" && cd "$2" && shift 2 && exec "$@"';
const PROBE = "rm -r gone && mkdir gone && echo new >gone/new && rm file";
/** The kernel takes one page of options. */
const OPTIONS_LENGTH_MAX = 4000;
/** A helper does nothing by itself for longer than this. */
const HELPER_MS_MAX = 30 * 60_000;

/** Options of the mount; read-only when there is no upper folder to write to. */
export function overlayOptions(overlay: { lower: readonly string[]; upper?: string; work?: string }): string {
  const isRoot = process.geteuid?.() === 0;
  return [
    ...(isRoot ? ["redirect_dir=off", "metacopy=off", "index=off"] : ["userxattr"]),
    `lowerdir=${overlay.lower.join(":")}`,
    ...(overlay.upper === undefined ? [] : [`upperdir=${overlay.upper}`, `workdir=${overlay.work}`]),
  ].join(",");
}

/** Starts a program in the mounted view; it sees the rest of the machine as it is. */
export function startInView(
  options: string,
  view: string,
  words: readonly string[],
  environment: NodeJS.ProcessEnv,
): ChildProcessWithoutNullStreams {
  const namespaces = process.geteuid?.() === 0 ? "-m" : "-Urm";
  return spawn("unshare", [namespaces, "sh", "-c", MOUNT_AND_RUN, "sh", options, view, ...words], {
    cwd: "/",
    env: environment,
    stdio: "pipe",
    timeout: HELPER_MS_MAX,
  });
}

/** The view as this process can reach it while the helper lives. */
export function viewOf(helper: ChildProcessWithoutNullStreams, view: string): string {
  return `/proc/${helper.pid}/root${view}`;
}

/** Do overlays work in this folder? Tried for real: a removed folder, one made anew, a removed file. */
export async function probeOverlay(folder: string, environment: NodeJS.ProcessEnv): Promise<boolean> {
  if (process.platform !== "linux" || /[,:\\]/.test(folder) || folder.length > OPTIONS_LENGTH_MAX / 5)
    return false;
  if (hasForeignMarks()) return false;
  const [lower, upper, work, view] = ["lower", "upper", "work", "view"].map((name) => join(folder, name));
  if (lower === undefined || upper === undefined || work === undefined || view === undefined) return false;
  for (const each of [lower, upper, work, view, join(lower, "gone")]) mkdirSync(each);
  writeFileSync(join(lower, "gone", "old"), "");
  writeFileSync(join(lower, "file"), "");
  const options = overlayOptions({ lower: [lower], upper, work });
  const helper = startInView(options, view, ["sh", "-c", `${PROBE} && cat`], environment);
  const ended = new Promise<number | null>((resolve) => {
    helper.on("error", () => resolve(null));
    helper.on("close", resolve);
  });
  const isReachable = new Promise<boolean>((resolve) => {
    helper.stdout.once("data", () => resolve(existsSync(join(viewOf(helper, view), "gone", "new"))));
    helper.stdout.once("end", () => resolve(false));
  });
  helper.stdin.on("error", () => {});
  helper.stdin.write("x");
  const reached = await isReachable;
  helper.stdin.end();
  const isClean = (await ended) === 0 && lstatSync(join(upper, "file")).isCharacterDevice();
  return reached && isClean && !existsSync(join(view, "gone"));
}

/**
 * Does the kernel, unless told otherwise, note down in an upper folder that something is elsewhere? Then what is in
 * it is not all that was changed. In user namespaces it never does.
 */
function hasForeignMarks(): boolean {
  if (process.geteuid?.() !== 0) return false;
  return ["redirect_dir", "metacopy"].some((name) => {
    const path = `/sys/module/overlay/parameters/${name}`;
    return existsSync(path) && readFileSync(path, "utf8").startsWith("Y");
  });
}

/** A mounted overlay that files can be written through. */
export class WritableView {
  readonly folder: string;
  readonly #helper: ChildProcessWithoutNullStreams;
  readonly #ended: Promise<number | null>;

  private constructor(helper: ChildProcessWithoutNullStreams, view: string) {
    this.#helper = helper;
    this.folder = viewOf(helper, view);
    this.#ended = new Promise((resolve) => helper.on("close", resolve));
  }

  /** Mounts it. @throws NightshiftError `E_WORKSPACE_GIT` */
  static async open(overlay: Overlay, view: string, environment: NodeJS.ProcessEnv): Promise<WritableView> {
    mkdirSync(view, { recursive: true });
    const helper = startInView(overlayOptions(overlay), view, ["cat"], environment);
    let problems = "";
    helper.stderr.on("data", (chunk: Buffer) => {
      problems += chunk.toString("utf8").slice(0, 500);
    });
    helper.stdin.on("error", () => {});
    helper.stdin.write("x");
    await new Promise<void>((resolve, reject) => {
      const fail = (error?: unknown): void => reject(gitFailure(["mount"], error ?? null, problems));
      helper.stdout.once("data", () => resolve());
      helper.once("error", fail);
      helper.once("close", () => fail());
    });
    return new WritableView(helper, view);
  }

  /** Unmounts it by ending the only process that sees it. */
  async close(): Promise<void> {
    this.#helper.stdin.end();
    await this.#ended;
  }
}
