/** Files that a person's own machine runs when somebody only opens, installs, commits or builds in a checkout. */

const KINDS: readonly (readonly [kind: string, pattern: RegExp])[] = [
  ["git hook", /(^|\/)\.(husky|githooks|git-hooks)\/|(^|\/)(\.pre-commit-config\.ya?ml|lefthook\.ya?ml)$/],
  ["shell environment", /(^|\/)(\.envrc|\.direnvrc|mise\.toml|\.mise\.toml|\.tool-versions)$/],
  ["editor task", /(^|\/)\.(vscode|idea|devcontainer|zed|fleet|nova)\/|(^|\/)\.devcontainer\.json$/],
  [
    "agent settings",
    /(^|\/)\.(claude|codex|cursor|gemini|opencode|windsurf|continue|aider[^/]*)(\/|$)|(^|\/)(CLAUDE|AGENTS|GEMINI)\.md$|(^|\/)\.(cursorrules|mcp\.json)$/,
  ],
  [
    "CI",
    /(^|\/)\.(github|gitlab|circleci|buildkite)\/|(^|\/)(\.gitlab-ci\.yml|Jenkinsfile|azure-pipelines\.yml)$/,
  ],
  [
    "package manager",
    /(^|\/)(\.npmrc|\.yarnrc(\.yml)?|\.pnpmfile\.cjs|pip\.conf|\.gitattributes|\.gitmodules)$/,
  ],
  ["package scripts", /(^|\/)(package\.json|composer\.json)$/],
  [
    "build file",
    /(^|\/)(GNUm|m|M)akefile$|\.mk$|(^|\/)(justfile|Rakefile|Gruntfile\.js|gulpfile\.[cm]?js|Taskfile\.ya?ml|setup\.py|setup\.cfg|build\.rs|CMakeLists\.txt|build\.gradle(\.kts)?|pom\.xml|Dockerfile|(docker-)?compose\.ya?ml)$/,
  ],
  [
    "code that tools load",
    /(^|\/)(conftest\.py|sitecustomize\.py|[^/]+\.pth|\.eslintrc\.[cm]?js|[^/]+\.config\.[cm]?[jt]s)$/,
  ],
  ["script", /\.(sh|bash|zsh|fish|ps1|bat|cmd)$/],
];

/** What of the reader's machine runs it; null for files that nothing runs by itself. */
export function executedBy({
  path,
  change,
  isExecutable,
}: {
  readonly path: string;
  readonly change: string;
  readonly isExecutable: boolean;
}): string | null {
  if (change === "deleted") return null;
  const kind = KINDS.find(([, pattern]) => pattern.test(path))?.[0];
  return kind ?? (isExecutable ? "executable file" : null);
}
