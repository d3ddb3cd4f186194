// Loaded into a Node-RED of the soak run before anything else. Counts live objects in the process on request, after a
// garbage collection, so that unreachable objects are not counted.
import { EventEmitter, getEventListeners } from 'node:events';
import { readdirSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isMainThread } from 'node:worker_threads';
import type { ProcessFigures } from './samples';

const bytesPerMegabyte = 1_000_000;

/** All live objects of a kind, without keeping them alive. */
class Living<Item extends object> {
  readonly #known = new WeakSet<Item>();
  #references: WeakRef<Item>[] = [];

  add(item: Item): void {
    if (this.#known.has(item)) return;
    this.#known.add(item);
    this.#references.push(new WeakRef(item));
  }

  all(): Item[] {
    this.#references = this.#references.filter((reference) => reference.deref() !== undefined);
    return this.#references.flatMap((reference) => reference.deref() ?? []);
  }
}

const emitters = new Living<EventEmitter>();
const targets = new Living<EventTarget>();
const typesOf = new WeakMap<EventTarget, Set<string>>();

/** Tracks every emitter and every target with listeners: listeners that are never removed accumulate there. */
function watchListeners(): void {
  for (const name of ['on', 'addListener', 'prependListener'] as const) {
    const add = EventEmitter.prototype[name];
    EventEmitter.prototype[name] = function (this: EventEmitter, ...listening: Parameters<typeof add>) {
      emitters.add(this);
      return add.apply(this, listening) as typeof this;
    };
  }
  const add = EventTarget.prototype.addEventListener;
  EventTarget.prototype.addEventListener = function (this: EventTarget, ...listening: Parameters<typeof add>) {
    targets.add(this);
    const types = typesOf.get(this) ?? new Set<string>();
    typesOf.set(this, types.add(listening[0]));
    add.apply(this, listening);
  };
}

function listeners(): number {
  const ofEmitters = emitters
    .all()
    .flatMap((emitter) => emitter.eventNames().map((name) => emitter.listenerCount(name)));
  const ofTargets = targets
    .all()
    .flatMap((target) => [...(typesOf.get(target) ?? [])].map((type) => getEventListeners(target, type).length));
  return [...ofEmitters, ...ofTargets].reduce((sum, count) => sum + count, 0);
}

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}

function count(): ProcessFigures {
  const memory = process.memoryUsage();
  const resources = process.getActiveResourcesInfo();
  return {
    heap_mb: memory.heapUsed / bytesPerMegabyte,
    external_mb: memory.external / bytesPerMegabyte,
    rss_mb: memory.rss / bytesPerMegabyte,
    descriptors: readdirSync('/proc/self/fd').length,
    sockets: resources.filter((kind) => /^(TCPSocket|Pipe|TLS)Wrap$/.test(kind)).length,
    timers: resources.filter((kind) => kind === 'Timeout').length,
    emitters: emitters.all().length,
    listeners: listeners(),
  };
}

// A worker thread loads this too; it has no channel, and its objects are part of the process's memory and descriptors.
if (isMainThread) {
  watchListeners();
  process.on('message', () => {
    collectGarbage();
    // Weakly held objects are released after the turn in which they were inspected.
    setTimeout(() => {
      collectGarbage();
      process.send?.(count());
    }, 50);
  });
  // The channel must not keep the process alive.
  process.channel?.unref();
}
