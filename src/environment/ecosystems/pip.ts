/** pip: wheels only, so that nothing is built where there is a network. */
import { posix } from "node:path";
import type { LayerOutput } from "../contract.ts";
import { type Recipe, type RecipeRequest, registryUrl, step } from "../recipe.ts";
import { RegistryHosts, refuse } from "../refusal.ts";

/** Files at the root that say what to install; all that exist are used together. */
export const PIP_REQUIREMENTS: readonly string[] = [
  "requirements.txt",
  "requirements-dev.txt",
  "requirements-test.txt",
  "requirements_dev.txt",
  "requirements_test.txt",
  "dev-requirements.txt",
  "test-requirements.txt",
  "requirements/dev.txt",
  "requirements/test.txt",
  "requirements/tests.txt",
];

const VENV = "/layer/venv";
const WHEELS = "/layer/wheels";

/** What both Python clients leave behind: a virtual environment. */
export const PYTHON_OUTPUTS: readonly LayerOutput[] = [{ from: "layer", path: "" }];

/** For commands that use the virtual environment; the project itself is used from its sources. */
export const PYTHON_ENVIRONMENT: Readonly<Record<string, string>> = {
  VIRTUAL_ENV: VENV,
  PYTHONPATH: "/workspace/src:/workspace",
  PYTHONDONTWRITEBYTECODE: "1",
  PIP_NO_INDEX: "1",
  PIP_DISABLE_PIP_VERSION_CHECK: "1",
  UV_OFFLINE: "1",
  UV_NO_SYNC: "1",
  UV_PYTHON_DOWNLOADS: "never",
  UV_PROJECT_ENVIRONMENT: VENV,
};

/** How pip sets a project up. */
export function pipRecipe(request: RecipeRequest): Recipe {
  const { files } = request;
  const roots = PIP_REQUIREMENTS.filter((path) => files.has(path));
  const seen = new Set<string>();
  for (const path of roots) takeRequirements(request, path, seen);
  const url = registryUrl(request);
  const environment = {
    PIP_CONFIG_FILE: "/dev/null",
    PIP_DISABLE_PIP_VERSION_CHECK: "1",
    PIP_NO_INPUT: "1",
    PIP_CACHE_DIR: "/layer/cache",
    PYTHONDONTWRITEBYTECODE: "1",
  };
  const online = {
    ...environment,
    PIP_INDEX_URL: url,
    ...(url.startsWith("http:") ? { PIP_TRUSTED_HOST: new URL(url).hostname } : {}),
  };
  const lists = roots.flatMap((path) => ["--requirement", path]);
  const download = ["python3", "-m", "pip", "download", "--only-binary", ":all:", "--dest", WHEELS, ...lists];
  const install = [
    ...[`${VENV}/bin/python3`, "-m", "pip", "install", "--no-index", "--find-links", WHEELS],
    ...["--only-binary", ":all:", "--compile", ...lists],
  ];
  return {
    fetch: [step(download, online)],
    build: [step(["python3", "-m", "venv", VENV], environment), step(install, environment)],
    outputs: PYTHON_OUTPUTS,
    environment: PYTHON_ENVIRONMENT,
    path: [`${VENV}/bin`],
    standIns: {},
  };
}

function takeRequirements(request: RecipeRequest, path: string, seen: Set<string>): void {
  if (seen.has(path)) return;
  seen.add(path);
  const { files, registries } = request;
  const hosts = new RegistryHosts(registries, "pip");
  const text = files.takeRequired(path).replace(/\\\r?\n/g, " ");
  for (const written of text.split("\n")) {
    const line = written.replace(/(^|\s)#.*$/, "").trim();
    const included = /^(?:-r|-c|--requirement|--constraint)[\s=]*(\S+)$/.exec(line)?.[1];
    if (included !== undefined) {
      takeRequirements(request, files.resolve(posix.dirname(path), included, path), seen);
      continue;
    }
    const index = /^(?:-i|--index-url|--extra-index-url|-f|--find-links|--trusted-host)[\s=]+(\S+)/.exec(
      line,
    );
    if (index !== null) {
      const place = index[1] ?? "";
      hosts.check(line.startsWith("--trusted-host") ? `https://${place}` : place, "an index", path);
    } else if (/^(-e|--editable)\b/.test(line)) {
      refuse(line, path, "an editable install builds where there is a network; list what it needs instead");
    } else if (/^-/.test(line)) {
      if (!/^--(hash|prefer-binary|pre|require-hashes|only-binary)\b/.test(line))
        refuse(line, path, "this option is not known");
    } else if (
      /^[\w.-]+\s*(\[[^\]]*\])?\s*@|^\w+(\+\w+)?:\/\/|^[./~]|[/\\].*\.(whl|zip|tar\.gz)$|\.whl\b/.test(line)
    ) {
      refuse(line, path, "it is not a package of a registry");
    }
  }
}
