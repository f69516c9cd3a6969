/** Tasks about order, repetition and memory. */
import type { Task } from "../task.ts";

const retry: Task = {
  id: "retry",
  goal: "Uploads shall survive a flaky network.",
  description: "retry repeats a failing operation",
  rubric: [
    "An operation that fails is tried again until it succeeds or was tried `tries` times.",
    "When all tries have failed, the error of the last one is thrown.",
    "upload sends its request through retry.",
  ],
  files: {
    "src/retry.js": `import { setTimeout as sleep } from "node:timers/promises";

export async function retry(operation, { tries = 3, delayMs = 100 } = {}) {
  for (let n = 1; ; n++) {
    try {
      return await operation();
    } catch (error) {
      if (n >= tries) throw error;
      await sleep(delayMs * 2 ** (n - 1));
    }
  }
}
`,
    "src/upload.js": `import { retry } from "./retry.js";

export async function upload(send, file) {
  return await retry(() => send("/files", file), { tries: 4, delayMs: 5 });
}
`,
  },
  defects: [
    {
      id: "swallowed",
      what: "the last error is swallowed",
      files: {
        "src/retry.js": `import { setTimeout as sleep } from "node:timers/promises";

export async function retry(operation, { tries = 3, delayMs = 100 } = {}) {
  for (let n = 1; n <= tries; n++) {
    try {
      return await operation();
    } catch (error) {
      console.error("try", n, "failed:", error.message);
      await sleep(delayMs * 2 ** (n - 1));
    }
  }
}
`,
      },
    },
    {
      id: "unused",
      what: "retry is imported and not called",
      files: {
        "src/upload.js": `import { retry } from "./retry.js";

export { retry };

export async function upload(send, file) {
  return await send("/files", file);
}
`,
      },
    },
  ],
  twins: [],
};

const limit: Task = {
  id: "map-limit",
  goal: "Fetch thumbnails without flooding the image server.",
  description: "mapLimit works on a list, a few items at once",
  rubric: [
    "Never more than `limit` calls of work are under way at the same time.",
    "The results are in the order of the items.",
    "An empty list gives an empty list.",
  ],
  files: {
    "src/map-limit.js": `export async function mapLimit(items, limit, work) {
  const results = new Array(items.length);
  let next = 0;
  async function lane() {
    while (next < items.length) {
      const index = next++;
      results[index] = await work(items[index]);
    }
  }
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, lane));
  return results;
}
`,
    "src/thumbnails.js": `import { mapLimit } from "./map-limit.js";

export function thumbnails(addresses, fetchImage) {
  return mapLimit(addresses, 4, fetchImage);
}
`,
  },
  defects: [
    {
      id: "ignored",
      what: "the limit is taken and ignored",
      files: {
        "src/map-limit.js": `export async function mapLimit(items, limit, work) {
  if (items.length === 0) return [];
  const queue = items.map((item) => work(item));
  const results = [];
  while (queue.length > 0) {
    const batch = queue.splice(0, limit);
    results.push(...(await Promise.all(batch)));
  }
  return results;
}
`,
      },
    },
  ],
  twins: [
    {
      id: "batches",
      what: "in batches, which is slower and right",
      files: {
        "src/map-limit.js": `export async function mapLimit(items, limit, work) {
  const results = [];
  for (let start = 0; start < items.length; start += limit) {
    const batch = items.slice(start, start + limit);
    results.push(...(await Promise.all(batch.map((item) => work(item)))));
  }
  return results;
}
`,
      },
    },
  ],
};

const cache: Task = {
  id: "cache",
  goal: "Keep the most recently used pages in memory.",
  description: "Cache forgets what was not used for the longest time",
  rubric: [
    "The cache never holds more entries than its capacity.",
    "What is forgotten first is what was least recently used; get counts as use.",
    "get gives undefined for what is not there.",
  ],
  files: {
    "src/cache.js": `export class Cache {
  #entries = new Map();
  #capacity;

  constructor(capacity) {
    this.#capacity = capacity;
  }

  get(key) {
    if (!this.#entries.has(key)) return undefined;
    const value = this.#entries.get(key);
    this.#entries.delete(key);
    this.#entries.set(key, value);
    return value;
  }

  set(key, value) {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size > this.#capacity) this.#entries.delete(this.#entries.keys().next().value);
  }

  get size() {
    return this.#entries.size;
  }
}
`,
    "README.md": "# pages\n\nA cache of pages. Least recently used ones go first.\n",
  },
  defects: [
    {
      id: "first-in",
      what: "get does not count as use",
      files: {
        "src/cache.js": `/** Least recently used entries are evicted first. */
export class Cache {
  #entries = new Map();
  #capacity;

  constructor(capacity) {
    this.#capacity = capacity;
  }

  get(key) {
    return this.#entries.get(key);
  }

  set(key, value) {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size > this.#capacity) this.#entries.delete(this.#entries.keys().next().value);
  }

  get size() {
    return this.#entries.size;
  }
}
`,
      },
    },
  ],
  twins: [],
};

/** Retries, limits, caches. */
export const flowTasks: readonly Task[] = [retry, limit, cache];
