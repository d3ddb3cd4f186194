export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Where a farm reports what happens, one line each. */
export type Log = (level: LogLevel, message: string) => void;
