/** Clocks of two transactions, and what an administrator corrects by hand, differ by less (seconds). */
const slackSeconds = 10;

/**
 * SQL: whether a stored moment is longer ago than so many seconds. A moment that lies ahead was written before the database's clock
 * was set back; how long ago that was nobody knows, and what waits for it must not wait for the clock to come by again.
 *
 * @param moment a column that is only ever written as `now()`
 * @param seconds an SQL expression
 */
export const longAgo = (moment: string, seconds: string): string =>
  `(${moment} < now() - make_interval(secs => ${seconds}) OR ${moment} > now() + interval '${slackSeconds} seconds')`;

/** SQL: whether a moment lies ahead although it is only ever written as `now()`. */
export const isAhead = (moment: string): string => `${moment} > now() + interval '${slackSeconds} seconds'`;
