import { createHash } from 'node:crypto';
import { MalformedInputError } from '../model/errors';
import { Answer, type Call } from './call';

/**
 * The entity tag of a versioned resource: its version, which changes with the resource, and a digest of its representation,
 * because that holds more than the resource itself (a job's place in the queue).
 */
function entityTag(version: number, shown: unknown): string {
  const digest = createHash('sha256').update(JSON.stringify(shown)).digest('base64url');
  return `"${version}.${digest.slice(0, 16)}"`;
}

/** Answers with a versioned resource under its entity tag; 304 if the client already has it. */
export function withEntityTag(call: Call, shown: { version: number }): Answer {
  const etag = entityTag(shown.version, shown);
  return hasAlready(call, etag) ? new Answer('', 304, { etag }) : new Answer(shown, 200, { etag });
}

/** Whether `If-None-Match` holds this tag. */
function hasAlready(call: Call, tag: string): boolean {
  const header = call.header('if-none-match') ?? '';
  return header.trim() === '*' || header.split(',').some((one) => one.trim().replace(/^W\//, '') === tag);
}

/**
 * The versions that `If-Match` accepts; undefined accepts any, as does a missing header. A foreign tag matches nothing.
 * @throws MalformedInputError the header is not a list of entity tags
 */
export function versionsWanted(call: Call): number[] | undefined {
  const header = call.header('if-match')?.trim();
  if (header === undefined || header === '*') return undefined;
  if (!/^(W\/)?"[^"]*"(\s*,\s*(W\/)?"[^"]*")*$/.test(header)) {
    throw new MalformedInputError('If-Match is not a list of entity tags.', [
      { field: 'If-Match', value: header, remedy: 'Send the ETag of an answer unchanged, including the quotes.' },
    ]);
  }
  const tags = [...header.matchAll(/(W\/)?"([^"]*)"/g)];
  // A weak tag does not prove that nothing has changed (RFC 9110, 13.1.1).
  return tags.flatMap(([, weak, tag = '']) => (weak || !/^\d{1,15}\./.test(tag) ? [] : [Number.parseInt(tag, 10)]));
}
