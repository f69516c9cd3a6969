/**
 * The image of pods: mount points, and the few files that programs expect. Programs come from the machine's own
 * `/usr`, so nothing is ever fetched, and the pod has the tools that its owner has.
 */
import { hash } from "node:crypto";
import { lstatSync, readlinkSync } from "node:fs";
import { INNER_WORKSPACE } from "../contract.ts";
import { INNER_EGRESS_FOLDER } from "../pod/contract.ts";
import { INNER_HOME } from "../pod/environment.ts";
import { type TarEntry, tar } from "../tar.ts";

/** Name of the image; its tag is made from what is in it. */
export const IMAGE_REPOSITORY = "nightshift-pod";

/** Where the runner finds its wire, and nothing else. */
export const INNER_POD_FOLDER = "/run/nightshift/pod";

const TAG_LENGTH = 20;

/** What differs from machine to machine. */
export interface ImageFacts {
  readonly uid: number;
  readonly gid: number;
  /** Links at the top of the file system, such as `bin` to `usr/bin`. */
  readonly links: readonly { readonly name: string; readonly target: string }[];
}

/** What this machine's image has to fit. */
export function readImageFacts(uid: number, gid: number): ImageFacts {
  const links = ["bin", "sbin", "lib", "lib32", "lib64", "libx32"].flatMap((name) => {
    const found = lstatSync(`/${name}`, { throwIfNoEntry: false });
    return found?.isSymbolicLink() ? [{ name, target: readlinkSync(`/${name}`).replace(/^\//, "") }] : [];
  });
  return { uid, gid, links };
}

/** The same facts give the same archive. */
export function imageArchive(facts: ImageFacts): Buffer {
  return tar(entriesOf(facts));
}

/** Changes with the content. */
export function imageTag(facts: ImageFacts): string {
  return hash("sha256", imageArchive(facts), "hex").slice(0, TAG_LENGTH);
}

function entriesOf({ uid, gid, links }: ImageFacts): TarEntry[] {
  const folder = (path: string, mode = 0o755): TarEntry => ({ type: "folder", path, mode });
  const file = (path: string, content: string): TarEntry => ({ type: "file", path, mode: 0o644, content });
  const inner = [INNER_HOME, INNER_WORKSPACE, INNER_POD_FOLDER, INNER_EGRESS_FOLDER].flatMap(foldersOf);
  // The kernel calls user 0 root whatever this file says, and so do programs that look for that name.
  const root = uid === 0 ? [] : ["root:x:0:0::/:/bin/sh"];
  const user = `nightshift:x:${uid}:${gid}::${INNER_HOME}:/bin/sh`;
  return [
    ...["proc", "sys", "dev", "usr", "var", "etc", ...new Set(inner)].map((path) => folder(path)),
    folder("tmp", 0o1777),
    { type: "link", path: "var/tmp", target: "../tmp" },
    ...links.map(({ name, target }): TarEntry => ({ type: "link", path: name, target })),
    file("etc/passwd", `${[user, ...root].join("\n")}\n`),
    file("etc/group", `nightshift:x:${gid}:\n${gid === 0 ? "" : "root:x:0:\n"}`),
    file("etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n"),
  ];
}

/** A path and everything above it, the topmost first. */
function foldersOf(path: string): string[] {
  const names = path.split("/").filter((name) => name !== "");
  return names.map((_name, index) => names.slice(0, index + 1).join("/"));
}
