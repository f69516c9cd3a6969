/** The repositories that workers of an arena begin with, and the commits that they are judged by. */
import { join } from "node:path";
import type { SessionId } from "../../src/core/ids.ts";
import type { Workspaces } from "../../src/workspace/contract.ts";
import { calm, git, repository, write } from "../support/repositories.ts";
import type { Attempt, Project } from "./case.ts";

const GITLINK = "160000";

/** One for each project. */
export class Repositories {
  readonly #folder: string;
  readonly #workspaces: Workspaces;
  readonly #known = new Map<string, Known>();

  /** @param folder - absolute; they are made below */
  constructor(folder: string, workspaces: Workspaces) {
    this.#folder = folder;
    this.#workspaces = workspaces;
  }

  /** Where it is. */
  source(project: Project): string {
    return this.#find(project).source;
  }

  /** The checkpoint, unless it is to have another commit of a submodule. @returns a commit, or a tree */
  async candidate(session: SessionId, checkpoint: string, { project, gitlink }: Attempt): Promise<string> {
    if (gitlink === undefined) return checkpoint;
    const entries = await this.#workspaces.reader(session, checkpoint, calm).list();
    const others = entries.filter(({ path }) => path !== gitlink && !path.startsWith(`${gitlink}/`));
    const other = { path: gitlink, mode: GITLINK, object: this.#find(project).second };
    return this.#workspaces.composeTree(session, [...others, other], calm);
  }

  #find(project: Project): Known {
    const known = this.#known.get(project.name) ?? this.#make(project);
    this.#known.set(project.name, known);
    return known;
  }

  #make({ name, files, submodule }: Project): Known {
    const source = repository(join(this.#folder, name), files);
    if (submodule === undefined) return { source, second: "" };
    const [first, second] = submodule.commits;
    const inner = repository(join(this.#folder, `${name}-within`), first);
    git(source, "submodule", "add", "-q", inner, submodule.path);
    git(source, "commit", "-qm", "with a submodule");
    write(inner, second);
    git(inner, "commit", "-qam", "second");
    return { source, second: git(inner, "rev-parse", "HEAD") };
  }
}

interface Known {
  readonly source: string;
  /** Of the submodule. */
  readonly second: string;
}
