import type { Static, TSchema } from '@sinclair/typebox';
import type { ErrorObject, ValidateFunction } from 'ajv';
import Ajv2020 from 'ajv/dist/2020';
import addFormats from 'ajv-formats';
import { type FieldError, MalformedInputError } from '../model/errors';
import { jsonSchemaOf } from './schema';

const ajv = new Ajv2020({ allErrors: true, allowUnionTypes: true, strict: false });
addFormats(ajv);

const remedies: Record<string, (error: ErrorObject) => string> = {
  minProperties: () => 'Name at least one field to change.',
  maxProperties: () => 'Give either grams_left, or gross_grams and tare_grams.',
  dependentRequired: (error) => `Add the field "${String(error.params['missingProperty'])}".`,
  required: (error) => `Add the field "${String(error.params['missingProperty'])}".`,
  additionalProperties: (error) => `Remove "${String(error.params['additionalProperty'])}"; it is not a field here.`,
  type: (error) => `Give a value of type ${[error.params['type']].flat().join(' or ')}.`,
  format: (error) =>
    error.params['format'] === 'date-time'
      ? 'Give a time in ISO 8601 with a zone, for example 2026-11-24T08:00:00Z.'
      : `Give a value in the form of a ${String(error.params['format'])}.`,
};

function fieldErrors(errors: ErrorObject[], input: unknown): FieldError[] {
  const byField = new Map<string, FieldError>();
  for (const error of errors) {
    if (error.keyword === 'anyOf' || (error.keyword === 'type' && error.params['type'] === 'null')) continue;
    const path = error.instancePath.split('/').slice(1);
    const missing = error.params['missingProperty'] ?? error.params['additionalProperty'];
    if (typeof missing === 'string') path.push(missing);
    const field = path.join('.') || '(body)';
    let value: unknown = input;
    for (const part of path) value = (value as Record<string, unknown> | undefined | null)?.[part];
    const remedy = remedies[error.keyword]?.(error) ?? `The value ${error.message ?? 'is not accepted'}.`;
    if (!byField.has(field)) byField.set(field, { field, value: value ?? null, remedy });
  }
  return [...byField.values()];
}

/**
 * Makes the parser of a contract. It returns the typed input, or throws a MalformedInputError that names every field.
 * @param what names the input, for the error
 */
export function parserOf<Schema extends TSchema>(schema: Schema, what: string): (input: unknown) => Static<Schema> {
  const validate: ValidateFunction = ajv.compile(jsonSchemaOf(schema));
  return (input) => {
    if (validate(input)) return input as Static<Schema>;
    const errors = fieldErrors(validate.errors ?? [], input);
    const fields = errors.map((error) => error.field).join(', ');
    throw new MalformedInputError(`The ${what} does not match its schema: ${fields}.`, errors);
  };
}
