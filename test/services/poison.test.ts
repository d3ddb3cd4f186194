import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { type Channel, type ChannelModel, connect } from 'amqplib';
import type { StatusMessage } from '../../lib/contracts/messages';
import type { Farm } from '../../lib/farm/farm';
import { DroppedMessages } from '../../lib/messaging/dropped-messages';
import { listenToStatus } from '../../lib/messaging/status-listener';
import { deadLetterExchange, deadLetterRecordQueue, statusExchange } from '../../lib/messaging/topology';
import { Seldom } from '../../lib/model/seldom';
import { recordDeadLetters } from '../../lib/services/dead-letter-recorder';
import { unresolvedDeadLetters } from '../../lib/store/dead-letters';
import { dropFarm, openBareFarm } from '../support/bare-farm';
import { rabbitMqAlone } from '../support/servers';

const bed = (actor: string): StatusMessage =>
  ({
    event: 'bed',
    printer_id: 'elegoo_giga',
    bed: { state: 'clear', cause: null, attempt_id: null, version: 2 },
    changed_by: actor,
    changed_at: '2026-11-24T05:00:01.677Z',
  }) as StatusMessage;

const deep = '['.repeat(200_000) + ']'.repeat(200_000);
const poison: [string, Buffer][] = [
  ['no JSON', Buffer.from('{"event": ')],
  ['nothing', Buffer.alloc(0)],
  ['null', Buffer.from('null')],
  ['no UTF-8', Buffer.from([0xff, 0xfe, 0x00, 0x80])],
  ['an event that does not exist', Buffer.from('{"event": "party"}')],
  ['a bed without a printer', Buffer.from('{"event": "bed"}')],
  ['a NUL', Buffer.from(JSON.stringify(bed('me\0')))],
  ['half of a surrogate pair', Buffer.from(JSON.stringify(bed('\ud83d')))],
  ['deep nesting', Buffer.from(deep)],
];

describe('Unreadable messages', () => {
  let farm: Farm;
  let meddler: ChannelModel;
  let channel: Channel;
  const logged: string[] = [];
  before(async function () {
    const found = await rabbitMqAlone();
    if ('skip' in found) {
      console.log(`      skipped: ${found.skip}`);
      return this.skip();
    }
    farm = await openBareFarm({ amqpUrl: found.url, log: (_level, message) => logged.push(message) });
    while (farm.broker.state.status !== 'connected') await new Promise((resolve) => setTimeout(resolve, 50));
    meddler = await connect(found.url);
    channel = await meddler.createChannel();
    await channel.purgeQueue(deadLetterRecordQueue);
  });
  beforeEach(() => logged.splice(0));
  after(async () => {
    await meddler?.close();
    if (farm) await dropFarm(farm);
  });

  it('are dropped from the status bus, counted, and reported once; the next message is delivered', async () => {
    const heard: StatusMessage[] = [];
    let told: () => void = () => undefined;
    const last = new Promise<void>((resolve) => {
      told = resolve;
    });
    const before = farm.dropped.count;
    const subscription = await listenToStatus(farm, (event) => {
      heard.push(event);
      if ('changed_by' in event && event.changed_by === 'last') told();
    });
    for (const [, body] of poison) channel.publish(statusExchange, '', body);
    channel.publish(statusExchange, '', Buffer.from(JSON.stringify(bed('last'))));
    await last;
    assert.deepEqual(heard, [bed('last')]);
    assert.equal(farm.dropped.count - before, poison.length);
    assert.equal(logged.filter((line) => line.includes(statusExchange)).length, 1, logged.join('\n'));
    await subscription.cancel();
  });

  it('are recorded as dead letters as far as they can be stored, and hold nothing up', async () => {
    const recorder = await recordDeadLetters(farm);
    for (const [, body] of poison) channel.publish(deadLetterExchange, '', body, { messageId: 'no id of ours' });
    const id = randomUUID();
    channel.publish(deadLetterExchange, '', Buffer.from('{"last": true}'), { messageId: id });
    let letters = await unresolvedDeadLetters(farm.database, 100);
    while (!letters.some((letter) => letter.id === id)) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      letters = await unresolvedDeadLetters(farm.database, 100);
    }
    assert.equal(letters.length, poison.length, 'all except the one that is nested too deeply');
    const actors = letters.map(({ message }) => (message as { changed_by?: string } | null)?.changed_by);
    assert.ok(actors.includes('me\ufffd') && actors.includes('\ufffd'), actors.join());
    await recorder.cancel();
  });

  it('are reported again after a while, with their number', () => {
    let now = 0;
    const told: string[] = [];
    const dropped = new DroppedMessages((_level, message) => told.push(message), new Seldom(60_000, () => now));
    for (let second = 0; second < 150; second++) {
      now = second * 1000;
      dropped.note('a queue', 'it is broken');
    }
    assert.deepEqual(told, [
      'A message on a queue was dropped: it is broken',
      'A message on a queue was dropped (and 59 more since the last report): it is broken',
      'A message on a queue was dropped (and 59 more since the last report): it is broken',
    ]);
    assert.equal(dropped.count, 150);
  });
});
