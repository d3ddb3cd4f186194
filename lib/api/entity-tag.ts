import { createHash } from 'node:crypto';
import { MalformedInputError } from '../model/errors';
import { Answer, type Call } from './call';

/**
 * The entity tag of what is shown of a thing with a version: the version, which says whether the thing was changed, and a digest,
 * because what is shown holds more than the thing itself (a job's place in the queue).
 */
function entityTag(version: number, shown: unknown): string {
  const digest = createHash('sha256').update(JSON.stringify(shown)).digest('base64url');
  return `"${version}.${digest.slice(0, 16)}"`;
}

/** Answers with something that has a version, under its entity tag; 304 if the client has it already. */
export function withEntityTag(call: Call, shown: { version: number }): Answer {
  const etag = entityTag(shown.version, shown);
  return hasAlready(call, etag) ? new Answer('', 304, { etag }) : new Answer(shown, 200, { etag });
}

/** Whether the client has what this tag stands for, and says so in `If-None-Match`. */
function hasAlready(call: Call, tag: string): boolean {
  const header = call.header('if-none-match') ?? '';
  return header.trim() === '*' || header.split(',').some((one) => one.trim().replace(/^W\//, '') === tag);
}

/**
 * The versions that `If-Match` accepts; undefined: any, as without the header. A tag that is none of ours matches nothing.
 * @throws MalformedInputError the header is no list of entity tags
 */
export function versionsWanted(call: Call): number[] | undefined {
  const header = call.header('if-match')?.trim();
  if (header === undefined || header === '*') return undefined;
  if (!/^(W\/)?"[^"]*"(\s*,\s*(W\/)?"[^"]*")*$/.test(header)) {
    throw new MalformedInputError('If-Match is not understood.', [
      { field: 'If-Match', value: header, remedy: 'Send the ETag of an answer as it was, quotes included.' },
    ]);
  }
  const tags = [...header.matchAll(/(W\/)?"([^"]*)"/g)];
  // A weak tag is no proof that nothing has changed (RFC 9110, 13.1.1).
  return tags.flatMap(([, weak, tag = '']) => (weak || !/^\d{1,15}\./.test(tag) ? [] : [Number.parseInt(tag, 10)]));
}
