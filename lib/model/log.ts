export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** The log of a farm, one line per event. */
export type Log = (level: LogLevel, message: string) => void;
