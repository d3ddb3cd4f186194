/** SQL: the current time as text, in the format of every message and answer. */
export const isoNow = `to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

/** Differences up to this are normal between concurrent transactions and after small clock corrections (seconds). */
const slackSeconds = 10;

/** The difference tolerated between the clocks of two transactions when leases are compared (seconds). */
const leaseSlackSeconds = 1;

/** SQL: whether a moment lies ahead although it is only ever written as `now()`. */
export const isAhead = (moment: string): string => `${moment} > now() + interval '${slackSeconds} seconds'`;

/**
 * SQL: whether a stored moment is more than `seconds` ago. A moment that lies ahead was written before the database's clock
 * was set back; its age is unknown, and nothing must wait until the clock reaches it again.
 *
 * @param moment a column that is only ever written as `now()`
 * @param seconds an SQL expression
 */
export const longAgo = (moment: string, seconds: string): string =>
  `(${moment} < now() - make_interval(secs => ${seconds}) OR ${isAhead(moment)})`;

/**
 * SQL: whether a lease expired at least `ago` seconds ago. One that reaches further ahead than any lease does was written before
 * the database's clock was set back, and has expired too.
 *
 * @param until the column that holds the end of the lease
 * @param leaseSeconds an SQL expression: how long a lease lasts
 * @param ago an SQL expression (seconds)
 */
export const leaseExpired = (until: string, leaseSeconds: string, ago = '0'): string =>
  `(${until} < now() - make_interval(secs => ${ago})
    OR ${until} > now() + make_interval(secs => ${leaseSeconds}::float8 + ${leaseSlackSeconds}))`;
