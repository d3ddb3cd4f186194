import { type Static, Type } from '@sinclair/typebox';
import { jobStatuses } from '../model/status';
import { AnyObject, Nullable, named, OneOf } from './schema';

export const Time = named('Time', Type.String({ format: 'date-time' }));
export type Time = Static<typeof Time>;

export const Cursor = named('Cursor', Nullable(Type.String()));
export type Cursor = Static<typeof Cursor>;

/** 1 is first */
export const Priority = named('Priority', Type.Integer({ minimum: 1, maximum: 10, description: '1 is first' }));
export type Priority = Static<typeof Priority>;

export const JobStatus = named('JobStatus', OneOf(jobStatuses));
export type JobStatus = Static<typeof JobStatus>;

export const Problem = named(
  'Problem',
  Type.Object({
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    code: Type.String(),
    errors: Type.Array(
      Type.Object({ field: Type.String(), value: Type.Optional(Type.Unknown()), remedy: Type.String() }),
    ),
  }),
);
export type Problem = Static<typeof Problem>;

export const Dimensions = named('Dimensions', Type.Object({ x: Type.Number(), y: Type.Number(), z: Type.Number() }));
export type Dimensions = Static<typeof Dimensions>;

export const Spread = named('Spread', Type.Object({ p10: Time, p50: Time, p90: Time }));
export type Spread = Static<typeof Spread>;

/** Something that an operator can do, as a request to this interface */
export const Action = named(
  'Action',
  Type.Object(
    {
      action: Type.String({ description: 'Its name in the node job-control' }),
      method: OneOf(['POST', 'PUT', 'PATCH', 'DELETE']),
      href: Type.String({ description: 'Under /api/fabrication' }),
      body: Type.Optional(AnyObject()),
      needs: Type.Optional(
        Type.Array(Type.String(), { description: 'Fields of the body that the operator must fill in' }),
      ),
      why: Type.String(),
    },
    { description: 'Something that an operator can do, as a request to this interface' },
  ),
);
export type Action = Static<typeof Action>;
