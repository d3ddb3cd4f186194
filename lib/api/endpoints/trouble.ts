import { DeadLetters, DiscardedDeadLetter, ReplayedDeadLetter } from '../../contracts/farm';
import { AnsweredOutcome, OutcomeAnswer } from '../../contracts/jobs';
import { deadLetters, discard, replay } from '../../jobs/changes';
import { answerOutcome } from '../../jobs/outcome';
import { paged } from '../../model/paging';
import { endpoint } from '../endpoint';
import { cursor, limit } from '../parameters';
import { idOf } from '../requests';

export const troubleEndpoints = [
  endpoint({
    method: 'POST',
    path: '/attempts/{id}/outcome',
    operationId: 'answerOutcome',
    tag: 'trouble',
    scope: 'operate',
    summary: 'Report whether an attempt with an unknown outcome printed',
    request: { schema: OutcomeAnswer },
    response: { description: 'It is taken', schema: AnsweredOutcome },
    refusals: ['Conflict'],
    action: { name: 'outcome', subject: 'attempt_id' },
    handle: (call) => answerOutcome(call.farm, idOf(call), call.body(), call.actor),
  }),
  endpoint({
    method: 'GET',
    path: '/dead-letters',
    operationId: 'getDeadLetters',
    tag: 'trouble',
    scope: 'read',
    summary: 'List the dispatches that were given up',
    parameters: [limit, cursor],
    response: { description: 'The open dead letters, newest first', schema: DeadLetters },
    question: { name: 'dead-letters' },
    handle: async ({ farm, query }) => paged(await deadLetters(farm), 'dead_letters', 'id', query),
  }),
  endpoint({
    method: 'DELETE',
    path: '/dead-letters/{id}',
    operationId: 'discardDeadLetter',
    tag: 'trouble',
    scope: 'operate',
    summary: 'Discard a dead letter',
    description: 'May be repeated.',
    response: { description: 'The dead letter is discarded', schema: DiscardedDeadLetter },
    refusals: ['Conflict'],
    action: { name: 'discard', subject: 'id' },
    handle: (call) => discard(call.farm, idOf(call)),
  }),
  endpoint({
    method: 'POST',
    path: '/dead-letters/{id}/replay',
    operationId: 'replayDeadLetter',
    tag: 'trouble',
    scope: 'operate',
    summary: 'Put the job of a dead letter back into the queue as if new',
    description: 'May be repeated.',
    response: { description: 'The job is waiting again', schema: ReplayedDeadLetter },
    refusals: ['Conflict'],
    action: { name: 'replay', subject: 'id' },
    handle: (call) => replay(call.farm, idOf(call), call.actor),
  }),
];
