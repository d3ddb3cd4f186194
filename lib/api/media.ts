import { MalformedInputError } from '../model/errors';
import { jobPhoto } from '../views/job-photo';
import { numbers, numbersCsv } from '../views/numbers';
import { Answer, type Call } from './call';
import { idOf } from './requests';

/** The figures; as a table if the request (or `format`, over a wire) asks for one. */
export async function numbersAs(call: Call): Promise<Answer> {
  const answer = await numbers(call.farm, call.query);
  const isCsv = call.query['format'] === 'csv' || (call.header('accept') ?? '').includes('text/csv');
  if (!isCsv) return new Answer(answer);
  return new Answer(numbersCsv(answer), 200, {
    'content-type': 'text/csv; charset=utf-8',
    'content-disposition': `attachment; filename="numbers-by-${answer.by}.csv"`,
  });
}

/** The photo of a job's end, as bytes. It shows a customer's part, so shared caches must not store it. */
export async function photoOf(call: Call): Promise<Answer> {
  const { attempt_id } = call.query;
  if (attempt_id !== undefined && typeof attempt_id !== 'string') {
    const remedy = 'Give the id of an attempt of the job, or omit the field.';
    throw new MalformedInputError('The attempt id is not a text.', [
      { field: 'attempt_id', value: attempt_id, remedy },
    ]);
  }
  const { bytes, type } = await jobPhoto(call.farm, idOf(call), attempt_id);
  return new Answer(bytes, 200, {
    'content-type': type,
    'cache-control': 'private',
    'x-content-type-options': 'nosniff',
  });
}
