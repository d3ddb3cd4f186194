import { type SchemaOptions, type Static, type TSchema, type TUnsafe, Type } from '@sinclair/typebox';

/**
 * The few forms that the published description uses and TypeBox writes otherwise. A contract is a JSON Schema and a TypeScript type
 * in one; a named contract appears under its name among the components of the OpenAPI description.
 */

/** Gives a contract the name under which it is published. */
export function named<Schema extends TSchema>(name: string, schema: Schema): Schema {
  return { ...schema, $id: name };
}

/** One of these words. */
export function OneOf<const Word extends string | null>(
  words: readonly Word[],
  options: SchemaOptions = {},
): TUnsafe<Word> {
  return Type.Unsafe<Word>({ enum: words, ...options });
}

/** A schema, or null. */
export function Nullable<Schema extends TSchema>(
  schema: Schema,
  options: SchemaOptions = {},
): TUnsafe<Static<Schema> | null> {
  const { $id, type } = schema as { $id?: string; type?: unknown };
  if ($id === undefined && typeof type === 'string')
    return Type.Unsafe({ ...plain(schema), ...options, type: [type, 'null'] });
  return Type.Unsafe({ anyOf: [schema, { type: 'null' }], ...options });
}

/** Values of one kind under arbitrary names. */
export function MapOf<Schema extends TSchema>(
  values: Schema,
  options: SchemaOptions = {},
): TUnsafe<Record<string, Static<Schema>>> {
  return Type.Unsafe({ type: 'object', additionalProperties: values, ...options });
}

/** Returns a schema without the properties that only TypeBox reads. */
function plain(schema: TSchema): object {
  return Object.fromEntries(Object.entries(schema));
}

/** Returns a contract as JSON Schema; named contracts inside it are replaced by the result of `reference`. */
export function jsonSchemaOf(schema: TSchema, reference?: (name: string) => string): object {
  const convert = (value: unknown, top: boolean): unknown => {
    if (Array.isArray(value)) return value.map((one) => convert(one, false));
    if (typeof value !== 'object' || value === null) return value;
    const { $id, ...rest } = value as { $id?: unknown };
    if (!top && typeof $id === 'string' && reference) return { $ref: reference($id) };
    return Object.fromEntries(Object.entries(rest).map(([key, one]) => [key, convert(one, false)]));
  };
  return convert(schema, true) as object;
}

/** An object with arbitrary fields. */
export function AnyObject(options: SchemaOptions = {}): TUnsafe<Record<string, unknown>> {
  return Type.Unsafe({ type: 'object', ...options });
}
