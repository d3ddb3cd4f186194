import { hoursFrom, type OperatorHours } from '../../lib/planning/calendar';

/** Operator hours of a stream, which has no time zone. */
export const hoursOf = (text: string): OperatorHours => hoursFrom(text, 'UTC');
