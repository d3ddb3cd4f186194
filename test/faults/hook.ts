// Loaded into a process of the system under test before anything else. It waits for the moment that the campaign names
// and then kills or freezes the process, and it sets the process's clock. It knows only the names of the moments,
// which the system publishes on a diagnostics channel.
import { subscribe } from 'node:diagnostics_channel';

interface Armed {
  moment: string;
  /** At which occurrence to act. */
  nth: number;
  /** How long to freeze (ms); 0 kills. */
  freeze: number;
}

const RealDate = Date;
let offset = 0;
let armed: Armed | undefined;

globalThis.Date = new Proxy(RealDate, {
  construct: (target, args: [], self) =>
    Reflect.construct(target, args.length === 0 ? [RealDate.now() + offset] : args, self),
  apply: () => new RealDate(RealDate.now() + offset).toString(),
  get: (target, name) => {
    if (name === 'now') return () => RealDate.now() + offset;
    return Reflect.get(target, name);
  },
});

process.on('message', (message: { arm?: Armed; clock?: number }) => {
  if (message.arm) armed = message.arm;
  if (message.clock !== undefined) offset = message.clock;
});
// The channel to the campaign must not keep the process alive.
process.channel?.unref();

subscribe('platewise:attempt', (told) => {
  if (!armed || (told as { moment: string }).moment !== armed.moment || --armed.nth > 0) return;
  const { freeze } = armed;
  armed = undefined;
  if (freeze === 0) process.kill(process.pid, 'SIGKILL');
  else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, freeze);
});
