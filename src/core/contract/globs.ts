/** Globs of git's kind: without a slash they hold in every folder, and what names a folder names all that is in it. */

/** Does the glob name this path, relative to the workspace, or a folder that it is in? */
export function globTest(glob: string): (path: string) => boolean {
  const plain = glob.replace(/\/+$/, "");
  const isAnchored = plain.includes("/");
  const source = plain
    .replace(/^\//, "")
    .split("/")
    .map((name) => (name === "**" ? "(?:[^/]+/)*" : `${nameSource(name)}/`))
    .join("");
  const pattern = new RegExp(`^${isAnchored ? "" : "(?:[^/]+/)*"}${source}`);
  return (path) => pattern.test(`${path.replace(/^\.?\//, "")}/`);
}

function nameSource(name: string): string {
  return name
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", "[^/]*")
    .replaceAll("?", "[^/]");
}
