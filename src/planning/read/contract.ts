/** What a file of work items comes to, whatever its form. */

/** One item. All texts are as in the file. */
export interface ReadItem {
  /** As the file has it; undefined: one is made of the description. */
  readonly id: string | undefined;
  readonly description: string;
  readonly steps: readonly string[];
  /** Command texts. */
  readonly checks: readonly string[];
  /** What has to be found true. */
  readonly rubric: readonly string[];
  /** Ids of the file. */
  readonly needs: readonly string[];
  /** The file says that it is done. That is counted, and nothing else. */
  readonly isMarked: boolean;
}

/** A whole file. */
export interface ReadPlan {
  /** What the form is called. */
  readonly form: string;
  /** What the file says it is all for; undefined when it does not. */
  readonly goal: string | undefined;
  readonly items: readonly ReadItem[];
  /** Commands that are there for all items. */
  readonly checks: readonly string[];
}

/** A file's text, with a name for messages. */
export interface SourceText {
  readonly name: string;
  readonly text: string;
}
