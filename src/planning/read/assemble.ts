/**
 * Makes criteria of a file's items. An item with a command is checked by it. All others are graded by a judge on what
 * the file says of them, and the project's own tests are checked beside them, once for all.
 */
import { criterionIdOf, criterionOf, readCheck } from "../../core/contract/build.ts";
import type { Criterion } from "../../core/contract/contract.ts";
import type { ProjectFacts } from "../detect/contract.ts";
import type { ReadItem, ReadPlan } from "./contract.ts";
import { choreInLine, type NamedChore } from "./lines.ts";

/** Criteria, and what a person should know about how they came to be. */
export interface Assembled {
  readonly criteria: readonly Criterion[];
  readonly remarks: readonly string[];
}

interface Shared {
  readonly text: string;
  readonly folder: string;
}

/** @param name - of the file @throws NightshiftError `E_CONTRACT_INVALID` for a check that is no command */
export function assemblePlan(plan: ReadPlan, facts: ProjectFacts, name: string): Assembled {
  const assembler = new Assembler(plan, facts);
  return { criteria: assembler.criteria(), remarks: [...assembler.remarks(name)] };
}

class Assembler {
  readonly #plan: ReadPlan;
  readonly #facts: ProjectFacts;
  readonly #taken = new Set<string>();
  /** Id of the file, then ours. */
  readonly #ids = new Map<string, string>();
  readonly #shared = new Map<string, Shared>();
  readonly #shellRemarks = new Set<string>();
  #uncheckedCount = 0;
  #bareCount = 0;

  constructor(plan: ReadPlan, facts: ProjectFacts) {
    this.#plan = plan;
    this.#facts = facts;
  }

  criteria(): Criterion[] {
    const ids = this.#plan.items.map((item) => this.#idFor(item));
    const own = this.#plan.items.flatMap((item, index) => this.#criteriaOf(item, ids[index] ?? ""));
    for (const text of this.#plan.checks) this.#share({ text, folder: "" });
    if (this.#uncheckedCount > 0) for (const each of this.#facts.tests) this.#share(each);
    const checked = new Set(own.map(({ check }) => JSON.stringify(check)));
    const shared = [...this.#shared.values()].flatMap(({ text, folder }) => {
      const check = this.#check(text, folder);
      if (checked.has(JSON.stringify(check))) return [];
      const where = folder === "" ? "" : ` in ${folder}`;
      const id = criterionIdOf(`${folder} ${text}`, this.#taken);
      return [criterionOf({ id, description: `\`${text}\` passes${where}`, check })];
    });
    return [...own, ...shared];
  }

  *remarks(name: string): Generator<string> {
    const { items, form } = this.#plan;
    yield `${name} is read as ${form} with ${counted(items.length, "item")}`;
    const marked = items.filter(({ isMarked }) => isMarked).length;
    if (marked > 0)
      yield `${counted(marked, "item")} in it ${marked === 1 ? "is" : "are"} marked as done; that is ignored, for only a verdict says so`;
    if (this.#uncheckedCount > 0) yield this.#uncheckedRemark();
    if (this.#bareCount > 0)
      yield `${counted(this.#bareCount, "item")} say${this.#bareCount === 1 ? "s" : ""} nothing of how to see it, so the judge is given the description alone`;
    yield* this.#shellRemarks;
  }

  #uncheckedRemark(): string {
    const without = `${counted(this.#uncheckedCount, "item")} without a check of ${this.#uncheckedCount === 1 ? "its" : "their"} own`;
    const [test, ...more] = this.#facts.tests;
    if (test === undefined)
      return `no test command was found, so a judge alone grades ${without}; add checks, for example with \`Check:\``;
    const others = more.length === 0 ? "" : ` and ${counted(more.length, "more command")}`;
    return `a judge grades ${without}, and \`${test.text}\`${others} has to pass beside (${test.because})`;
  }

  /** An id that the file gives is kept, also when it is there twice: the linter has words for that. */
  #idFor({ id, description }: ReadItem): string {
    if (id === undefined) return criterionIdOf(description, this.#taken);
    const own = criterionIdOf(id, new Set());
    this.#taken.add(own);
    this.#ids.set(id, own);
    return own;
  }

  #criteriaOf(item: ReadItem, id: string): Criterion[] {
    const rubric = item.rubric.filter((line) => !this.#isShared(line));
    const [first, ...more] = item.checks;
    if (first === undefined) this.#uncheckedCount++;
    const isBare = first === undefined && rubric.length === 0;
    if (isBare) this.#bareCount++;
    const criterion = criterionOf({
      id,
      description: item.description,
      steps: [...item.steps],
      check: first === undefined ? null : this.#check(first, ""),
      rubric: isBare && item.description !== "" ? [item.description] : rubric,
      needs: item.needs.map((need) => this.#ids.get(need) ?? need),
    });
    const further = more.map((text) =>
      criterionOf({
        id: criterionIdOf(`${id} ${text}`, this.#taken),
        description: `\`${text}\` passes`,
        check: this.#check(text, ""),
        needs: [...criterion.needs],
      }),
    );
    return [criterion, ...further];
  }

  /** "Typecheck passes" is the same command for all items. */
  #isShared(line: string): boolean {
    const chore = choreInLine(line);
    const commands = chore === undefined ? [] : this.#commandsFor(chore);
    for (const command of commands) this.#share(command);
    return commands.length > 0;
  }

  #commandsFor(chore: NamedChore): readonly Shared[] {
    if (chore === "test") return this.#facts.tests;
    const text = this.#facts.chores[chore];
    return text === undefined ? [] : [{ text, folder: "" }];
  }

  #share({ text, folder }: Shared): void {
    this.#shared.set(`${folder}\0${text}`, { text, folder });
  }

  #check(text: string, folder: string): Criterion["check"] {
    const { check, remarks } = readCheck(text, folder);
    for (const remark of remarks) this.#shellRemarks.add(remark);
    return check;
  }
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
