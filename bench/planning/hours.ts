import { hoursFrom, type OperatorHours } from '../../lib/planning/calendar';

/** Hours of a stream, which knows no time zone. */
export const hoursOf = (text: string): OperatorHours => hoursFrom(text, 'UTC');
