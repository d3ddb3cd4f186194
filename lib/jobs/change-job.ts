import type { ChangedJob as ContractChangedJob } from '../contracts/jobs';
import { type JobChange, parseJobChange } from '../contracts/messages';
import type { Farm } from '../farm/farm';
import { ConflictError, type FieldError } from '../model/errors';
import type { JobId } from '../model/ids';
import type { Job } from '../model/job';
import { isTerminal } from '../model/status';
import { lockUntilEnd } from '../store/advisory-locks';
import { openAttempts } from '../store/attempts';
import { changeTerms, dependOn, type JobTerms } from '../store/job-terms';
import { lockJob } from '../store/jobs';
import type { Transaction } from '../store/queryable';
import { dependencyErrors, refused, timeErrors } from './examine';

/** The terms of a job after the change. */
export type ChangedJob = ContractChangedJob;

/**
 * Changes the terms of an open job: {job_name, priority, deadline_at, not_before, copies, depends_on}, each optional.
 * Prints under way go on.
 * @param versions the accepted versions of the job; undefined: any
 * @throws MalformedInputError a field is unknown, or none is given
 * @throws StaleVersionError the job has another version
 * @throws ConflictError the job is over, or is being cancelled
 * @throws UnacceptableInputError names every field that cannot be changed this way
 */
export async function changeJob(
  farm: Farm,
  id: string,
  input: unknown,
  actor: string,
  versions?: readonly number[],
): Promise<ChangedJob> {
  const wanted = parseJobChange(input);
  const job = await farm.database.transaction(async (tx) => {
    // Two concurrent changes could make two jobs depend on each other.
    if (wanted.depends_on) await lockUntilEnd(tx, 'dependencies');
    const locked = await lockJob(tx, id, versions);
    if (isTerminal(locked.status) || locked.cancelRequestedAt !== null) {
      const state = isTerminal(locked.status) ? locked.status : 'being cancelled';
      throw new ConflictError(`The job is ${state}; it cannot be changed.`, 'Choose an open job, or submit it again.');
    }
    const terms = termsOf(locked, wanted);
    const errors = [
      ...timeErrors(wanted, terms),
      ...(await copyErrors(tx, locked, wanted)),
      ...(await dependencyErrors(tx, newOf(locked, wanted))),
      ...(await circleErrors(tx, locked, wanted)),
    ];
    if (errors.length > 0) throw refused(errors, 'changed');
    const words = differences(locked, terms);
    return words === '' ? locked : changeTerms(tx, locked.id, terms, words, actor);
  });
  return {
    job_id: job.id,
    version: job.version,
    job_name: job.jobName,
    priority: job.priority,
    deadline_at: job.deadlineAt,
    not_before: job.notBefore,
    copies: job.copies,
    depends_on: job.dependsOn,
  };
}

function termsOf(job: Job, wanted: JobChange): JobTerms {
  const time = (asked: string | null | undefined, now: string | null): string | null =>
    asked === undefined ? now : asked === null ? null : new Date(asked).toISOString();
  return {
    jobName: wanted.job_name ?? job.jobName,
    priority: wanted.priority ?? job.priority,
    deadlineAt: time(wanted.deadline_at, job.deadlineAt),
    notBefore: time(wanted.not_before, job.notBefore),
    copies: wanted.copies ?? job.copies,
    dependsOn: (wanted.depends_on?.map((one) => one.toLowerCase()) as JobId[] | undefined) ?? job.dependsOn,
  };
}

/** The dependencies that the job does not have yet: an existing one may have failed and be kept. */
const newOf = (job: Job, { depends_on = [] }: JobChange): string[] =>
  depends_on.filter((one) => !job.dependsOn.includes(one.toLowerCase() as JobId));

/** Requires at least the copies done and under way, and at least one more than are done: a job without copies left is a cancelled job. */
async function copyErrors(tx: Transaction, job: Job, { copies }: JobChange): Promise<FieldError[]> {
  if (copies === undefined) return [];
  const open = (await openAttempts(tx)).filter((attempt) => attempt.jobId === job.id).length;
  const least = Math.max(job.copiesDone + open, job.copiesDone + 1);
  if (copies >= least) return [];
  const remedy =
    `${job.copiesDone} copies are done and ${open} under way. ` +
    `Give at least ${least}, or cancel the job if no more are wanted.`;
  return [{ field: 'copies', value: copies, remedy }];
}

async function circleErrors(tx: Transaction, job: Job, { depends_on = [] }: JobChange): Promise<FieldError[]> {
  const errors: FieldError[] = [];
  for (const one of depends_on) {
    const other = one.toLowerCase() as JobId;
    if (!(await dependOn(tx, [other], job.id))) continue;
    const remedy = 'That job depends on this one; remove it from the list.';
    errors.push({ field: 'depends_on', value: one, remedy });
  }
  return errors;
}

const names: [keyof JobTerms, string][] = [
  ['jobName', 'name'],
  ['priority', 'priority'],
  ['deadlineAt', 'deadline'],
  ['notBefore', 'not before'],
  ['copies', 'copies'],
];

/** The changes in words; empty if there are none. */
function differences(job: Job, terms: JobTerms): string {
  const words = names.flatMap(([key, name]) =>
    job[key] === terms[key] ? [] : [`${name} ${job[key] ?? 'none'} changed to ${terms[key] ?? 'none'}`],
  );
  const added = terms.dependsOn.filter((id) => !job.dependsOn.includes(id));
  const dropped = job.dependsOn.filter((id) => !terms.dependsOn.includes(id));
  if (added.length > 0) words.push(`depends on ${added.join(', ')}`);
  if (dropped.length > 0) words.push(`no longer depends on ${dropped.join(', ')}`);
  return words.join('; ');
}
