/** Any sequence of events that the catalogue allows, made from its schemas, so that a new event needs nothing here. */
import fc from "fast-check";
import * as z from "zod";
import { CATALOGUE, type EventType } from "../../src/core/events/catalogue.ts";
import type { EventInput } from "../../src/core/events/index.ts";

interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: JsonSchema | boolean;
  readonly items?: JsonSchema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly $ref?: string;
}

/** Names by which events refer to each other: from few, so that they often do. */
const REFERENCES: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  call: fc.constantFrom("c1_0", "c1_1", "c2_0"),
  request: fc.integer({ min: 1, max: 3 }),
  run: fc.integer({ min: 1, max: 3 }),
  epoch: fc.integer({ min: 1, max: 3 }),
  sandbox: fc.constantFrom("sbox_1", "sbox_2"),
  incarnation: fc.constantFrom("i1", "i2"),
  seqs: fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 5 }),
  before: fc.constantFrom(null, "old", "new"),
  after: fc.constantFrom(null, "old", "new"),
};

/** References to contents that need not be there; elsewhere a content of that name has to be. */
const NULLABLE: ReadonlySet<string> = new Set(["before", "after"]);

function arbitraryOf(schema: JsonSchema, name: string): fc.Arbitrary<unknown> {
  // Some tool events have a `sandbox` that is a name, `session.created` one that is an object; so it is with `run`.
  const isObject = [schema, ...(schema.anyOf ?? [])].some(({ properties }) => properties !== undefined);
  const isReference = !isObject && !(NULLABLE.has(name) && schema.type === "string");
  const reference = isReference ? REFERENCES[name] : undefined;
  if (reference !== undefined) return reference;
  if ("const" in schema) return fc.constant(schema.const);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  const options = schema.anyOf ?? schema.oneOf;
  if (options !== undefined)
    return fc.oneof(...options.map((option) => arbitraryOf(option, isObject ? "" : name)));
  if (typeof schema.type === "object")
    return fc.oneof(...schema.type.map((type) => arbitraryOf({ ...schema, type }, name)));
  if (schema.$ref !== undefined) return fc.jsonValue({ maxDepth: 1 });
  switch (schema.type) {
    case "object":
      return objectOf(schema);
    case "array":
      return fc.array(arbitraryOf(schema.items ?? {}, ""), {
        minLength: schema.minItems ?? 0,
        maxLength: Math.min(schema.maxItems ?? 3, 3),
      });
    case "string":
      if (schema.pattern !== undefined) return fc.stringMatching(new RegExp(schema.pattern));
      return fc.string({ minLength: schema.minLength ?? 0, maxLength: Math.min(schema.maxLength ?? 8, 8) });
    case "number":
      if (schema.minimum !== undefined && !Number.isInteger(schema.minimum))
        return fc.double({ min: schema.minimum, max: schema.maximum ?? 1e6, noNaN: true });
      return wholeNumber(schema);
    case "integer":
      return wholeNumber(schema);
    case "boolean":
      return fc.boolean();
    case "null":
      return fc.constant(null);
    default:
      return fc.jsonValue({ maxDepth: 1 });
  }
}

function wholeNumber(schema: JsonSchema): fc.Arbitrary<number> {
  return fc.integer({
    min: schema.minimum ?? (schema.exclusiveMinimum ?? -1) + 1,
    max: Math.min(schema.maximum ?? 1e6, 1e6),
  });
}

function objectOf(schema: JsonSchema): fc.Arbitrary<unknown> {
  if (schema.properties === undefined) {
    const values = typeof schema.additionalProperties === "object" ? schema.additionalProperties : {};
    return fc.dictionary(fc.stringMatching(/^[a-z]{1,3}$/), arbitraryOf(values, ""), { maxKeys: 2 });
  }
  const entries = Object.entries(schema.properties);
  const model = Object.fromEntries(entries.map(([key, value]) => [key, arbitraryOf(value, key)]));
  return fc.record(model, { requiredKeys: [...(schema.required ?? [])] });
}

const byType = Object.entries(CATALOGUE).map(([type, schema]) => {
  const json = z.toJSONSchema(schema, { io: "input" }) as JsonSchema;
  // As read back from a log: plain objects, no negative zero.
  return arbitraryOf(json, "").map(
    (body) => ({ type, body: JSON.parse(JSON.stringify(body)) }) as EventInput,
  );
});

/** One event of any type. */
export const anyEvent: fc.Arbitrary<EventInput> = fc.oneof(...byType);

const created = byType[Object.keys(CATALOGUE).indexOf("session.created" satisfies EventType)];

/** Up to sixty events; most logs begin as a log should, and then go on as none would. */
export const anyLog: fc.Arbitrary<EventInput[]> = fc
  .tuple(fc.array(created ?? anyEvent, { maxLength: 1 }), fc.array(anyEvent, { maxLength: 60 }))
  .map(([first, rest]) => [...first, ...rest]);
