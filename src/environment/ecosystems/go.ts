/** Go: modules from a module proxy, checked against `go.sum`, never from a version control system. */
import { posix } from "node:path";
import type { ProjectFiles } from "../project-files.ts";
import { type Recipe, type RecipeRequest, registryUrl, step } from "../recipe.ts";
import { refuse } from "../refusal.ts";

/** How Go sets a project up. */
export function goRecipe(request: RecipeRequest): Recipe {
  const { files } = request;
  const workspace = files.take("go.work");
  files.take("go.work.sum");
  const folders = workspace === undefined ? [""] : membersOf(files, workspace);
  const seen = new Set<string>();
  for (const folder of folders) takeModule(files, folder, seen);
  const environment = {
    GOMODCACHE: "/layer/modules",
    GOPROXY: registryUrl(request),
    GOSUMDB: "off",
    GOVCS: "*:off",
    GOPRIVATE: "",
    GONOPROXY: "",
    GOINSECURE: registryUrl(request).startsWith("http:") ? "*" : "",
    GOTOOLCHAIN: "local",
    GOENV: "off",
    // Read-only folders would keep the layer from being removed.
    GOFLAGS: "-modcacherw",
  };
  return {
    fetch: folders.map((folder) => step(["go", "mod", "download", "-x"], environment, folder)),
    build: [],
    outputs: [{ from: "layer", path: "" }],
    environment: {
      GOMODCACHE: "/layer/modules",
      GOPROXY: "off",
      GOSUMDB: "off",
      GOTOOLCHAIN: "local",
      GOFLAGS: "-mod=readonly",
      GOCACHE: "/tmp/go-build",
    },
    path: [],
    standIns: {},
  };
}

function membersOf(files: ProjectFiles, text: string): readonly string[] {
  const block = /^use\s*\(([\s\S]*?)\)/m.exec(text)?.[1] ?? "";
  const single = [...text.matchAll(/^use\s+([^\s(]+)/gm)].map((match) => match[1] ?? "");
  const listed = block
    .split("\n")
    .map((line) => line.replace(/\/\/.*$/, "").trim())
    .filter((line) => line !== "");
  return [...single, ...listed].map((folder) => files.resolve("", folder.replaceAll('"', ""), "go.work"));
}

function takeModule(files: ProjectFiles, folder: string, seen: Set<string>): void {
  if (seen.has(folder)) return;
  seen.add(folder);
  const path = posix.join(folder, "go.mod");
  const text = files.takeRequired(path);
  const sums = files.take(posix.join(folder, "go.sum"));
  if (sums === undefined && /^\s*(require\b|[\w.-]+\.[\w./-]+ v\d)/m.test(text))
    refuse(posix.join(folder, "go.sum"), "the workspace", "it is missing, so nothing could be checked");
  for (const [, target = ""] of text.matchAll(/=>\s*(\.{1,2}\/\S*|\/\S*)/g))
    takeModule(files, files.resolve(folder, target, path), seen);
}
