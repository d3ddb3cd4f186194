import { Agent, request } from 'node:http';
import { ApiDescription } from '../api-description';
import { CaseMaker, type FuzzCase, Known, type Sender } from './cases';

/** The farm under test. */
export interface FuzzSubject {
  /** `http://127.0.0.1:<port>` */
  url: string;
  /** The key of each scope; empty while keys are not required. */
  keys: Partial<Record<Sender, string>>;
  /** Directories of this machine, and secrets, that no error answer may reveal. */
  secrets: readonly string[];
  /** Existing values, by field name. */
  known: Record<string, readonly string[]>;
}

/** The result of a run. */
export interface FuzzResult {
  requests: number;
  /** The number of answers by status. */
  statuses: Record<string, number>;
  /** The unexpected answers, with their requests. */
  failures: string[];
}

interface Answer {
  status: number;
  type: string;
  tag: string | undefined;
  text: string;
}

const prefix = '/api/fabrication';
/** A print that is being stopped is waited for 30 s. */
const answerLimit = 45_000;
const leaks: readonly [string, RegExp][] = [
  ['a stack trace', /\n?\s+at .+[(/].*:\d+:\d+/],
  ['a path of the program', /node_modules|node:internal|dist[\\/](lib|nodes)|\.ts:\d+/],
  [
    'SQL',
    /\b(INSERT INTO|SELECT .+ FROM|UPDATE \w+ SET|violates \w+ constraint|syntax error at|invalid input syntax|invalid byte sequence|out of range for type)\b/,
  ],
  ['a connection string', /(postgres(ql)?|amqps?):\/\//],
  ['a JavaScript term', /TypeError|RangeError|ReferenceError|Cannot read propert|is not a function|\[object Object\]/],
];

/** Sends requests that are generated from docs/openapi.yaml, valid and broken ones, and checks every answer against it. */
export async function fuzzApi(
  subject: FuzzSubject,
  run: { seed: number; from: number; to: number; atOnce?: number; onProgress?: (done: number) => void },
): Promise<FuzzResult> {
  const description = new ApiDescription();
  const known = new Known();
  for (const [field, values] of Object.entries(subject.known)) for (const value of values) known.add(field, value);
  const maker = new CaseMaker(description, known);
  const result: FuzzResult = { requests: 0, statuses: {}, failures: [] };
  const agent = new Agent({ keepAlive: true, maxSockets: run.atOnce ?? 8 });
  let next = run.from;
  const work = async (): Promise<void> => {
    for (let index = next++; index < run.to; index = next++) {
      const tried = maker.make(run.seed, index);
      const answer = await send(agent, subject, tried).catch((error: unknown) => String(error));
      result.requests++;
      run.onProgress?.(result.requests);
      const name = typeof answer === 'string' ? 'none' : String(answer.status);
      result.statuses[name] = (result.statuses[name] ?? 0) + 1;
      const problems = typeof answer === 'string' ? [answer] : problemsOf(description, subject, tried, answer);
      if (typeof answer !== 'string') learn(known, tried, answer);
      if (problems.length === 0) continue;
      const told = typeof answer === 'string' ? '' : `\n  ${answer.status} ${answer.text.slice(0, 600)}`;
      result.failures.push(`case ${index}: ${inWords(tried)}\n  ${problems.join('; ')}${told}`);
    }
  };
  await Promise.all(Array.from({ length: run.atOnce ?? 8 }, work));
  agent.destroy();
  return result;
}

function send(agent: Agent, subject: FuzzSubject, tried: FuzzCase): Promise<Answer> {
  const { hostname, port } = new URL(subject.url);
  const key = tried.sender === 'stranger' ? 'pw_made-up' : subject.keys[tried.sender];
  const headers = {
    ...tried.headers,
    ...(key !== undefined && { authorization: `Bearer ${key}` }),
    ...(tried.body && { 'content-length': String(tried.body.length) }),
  };
  return new Promise((resolve, reject) => {
    const { method } = tried;
    const sent = request({ agent, hostname, port, method, path: prefix + tried.path, headers, timeout: answerLimit });
    sent.on('timeout', () => sent.destroy(new Error('There was no answer.')));
    sent.on('error', reject);
    sent.on('response', (response) => {
      const { 'content-type': type = '', etag: tag } = response.headers;
      const answer = { status: response.statusCode ?? 0, type, tag, text: '' };
      if (answer.type.startsWith('text/event-stream')) {
        resolve(answer);
        sent.destroy();
        return;
      }
      response.setEncoding('utf8').on('data', (text: string) => {
        answer.text += text;
      });
      response.on('end', () => resolve(answer));
      response.on('error', reject);
    });
    sent.end(tried.body);
  });
}

function problemsOf(description: ApiDescription, subject: FuzzSubject, tried: FuzzCase, answer: Answer): string[] {
  const problems: string[] = [];
  if (answer.status >= 500) problems.push('an internal error');
  const body = /^(text\/(event-stream|plain|csv)|image\/)/.test(answer.type) ? answer.text : parsed(answer.text);
  if (body === undefined && answer.status !== 304)
    return [...problems, `the answer is not JSON (${answer.type})`, ...leaksIn(answer.text, subject)];
  const path = tried.path.split('?')[0] ?? '';
  const described = description.describes(tried.method, path);
  if (described) problems.push(...description.problemsOfAnswer(tried.method, path, answer.status, answer.type, body));
  else problems.push(...description.problemsOfStray(answer.status, answer.type, body));
  if (body !== undefined && answer.status >= 400)
    problems.push(...leaksIn(JSON.stringify(withoutEcho(body, tried)), subject));
  return problems;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** An answer may repeat what the client sent. */
function withoutEcho(body: unknown, tried: FuzzCase): unknown {
  const sent = decoded(tried.path) + (tried.body?.toString('utf8') ?? '') + Object.values(tried.headers).join(' ');
  return JSON.parse(JSON.stringify(body), (name: string, value: unknown) => {
    if (name === 'value') return '';
    if (typeof value !== 'string') return value;
    return value.replace(/"[^"]{3,}"/g, (quoted) => (sent.includes(quoted.slice(1, -1)) ? '""' : quoted));
  });
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

function leaksIn(text: string, { secrets }: FuzzSubject): string[] {
  const found = leaks.filter(([, pattern]) => pattern.test(text)).map(([name]) => `the answer shows ${name}`);
  if (secrets.some((secret) => text.includes(secret))) found.push('the answer shows a directory or a secret');
  return found;
}

/** Stores the ids of created things, so that later requests find them. */
function learn(known: Known, tried: FuzzCase, answer: Answer): void {
  if (answer.status >= 300) return;
  const body = parsed(answer.text) as Record<string, unknown> | undefined;
  if (!body) return;
  if (tried.path === '/jobs') {
    for (const field of ['jobs', 'like', 'depends_on[]']) known.add(field, body['job_id']);
  }
  if (tried.path.endsWith('/closures')) known.add('closures', body['id']);
  for (const header of ['If-Match', 'If-None-Match']) known.add(header, answer.tag);
  known.add('cursor', body['next_cursor']);
  known.add('spool_id', body['spool_id']);
  for (const [list, field, as] of [
    ['setups', 'id', 'setups'],
    ['dead_letters', 'id', 'dead-letters'],
    ['attempts', 'attempt_id', 'attempts'],
  ] as const) {
    const items = body[list];
    if (Array.isArray(items)) for (const item of items as Record<string, unknown>[]) known.add(as, item[field]);
  }
}

function inWords({ method, path, sender, headers, body }: FuzzCase): string {
  const sent =
    body === undefined ? '' : ` ${JSON.stringify(body.subarray(0, 300).toString('utf8'))} (${body.length} bytes)`;
  return `${method} ${path.slice(0, 300)} by ${sender} ${JSON.stringify(headers).slice(0, 300)}${sent}`;
}
