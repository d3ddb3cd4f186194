import assert from 'node:assert/strict';
import type { Request, Response } from 'express';
import { answerUnrouted } from '../../nodes/http/unanswered';

/** The answer to a request that no route has handled. */
function answerTo(started: boolean): { status: number; code: string } {
  const answer = { status: 0, code: '' };
  const response = {
    status: (status: number) => {
      answer.status = status;
      return response;
    },
    set: () => response,
    send: (text: string) => {
      answer.code = (JSON.parse(text) as { code: string }).code;
    },
  };
  const request = { method: 'POST', originalUrl: '/api/fabrication/jobs' } as Request;
  answerUnrouted(
    () => started,
    () => undefined,
  )(request, response as unknown as Response);
  return answer;
}

describe('A request that no route handles', () => {
  it('is for an unknown endpoint', () => {
    assert.deepEqual(answerTo(true), { status: 404, code: 'not_found' });
  });

  it('may be retried while the flows are starting: its endpoint may still appear', () => {
    assert.deepEqual(answerTo(false), { status: 503, code: 'farm_not_open' });
  });
});
