import { Type } from '@sinclair/typebox';
import type { Parameter } from './endpoint';

/** Parameters shared by several endpoints. */
export const ifMatch: Parameter = {
  name: 'If-Match',
  in: 'header',
  description: 'The ETag of the job on which the change is based; if the job has changed since, nothing is done (412)',
  schema: Type.String(),
};

export const ifNoneMatch: Parameter = {
  name: 'If-None-Match',
  in: 'header',
  description: 'The ETag of the representation that you already have',
  schema: Type.String(),
};

export const limit: Parameter = {
  name: 'limit',
  in: 'query',
  schema: Type.Integer({ minimum: 1, maximum: 1000, default: 100 }),
};

export const cursor: Parameter = {
  name: 'cursor',
  in: 'query',
  description: 'The next_cursor of the previous answer',
  schema: Type.String(),
};
