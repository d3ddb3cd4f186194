import { strict as assert } from 'node:assert';
import { createHash } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { SacpClient } from './sacp-client';
import { Bench, control, eventually, fixture, gcode, port, truth, truthNames } from './support';

const statusOf = (wanted: number) => (payload: Buffer) => payload[1] === wanted;

describe('Snapmaker simulator', () => {
  const bench = new Bench();
  const clients: SacpClient[] = [];

  async function paired(simulator: Awaited<ReturnType<Bench['start']>>): Promise<SacpClient> {
    const client = await SacpClient.open(port(simulator, 'sacp'));
    clients.push(client);
    assert.equal(await client.hello('token-of-the-test'), 0);
    return client;
  }

  afterEach(async () => {
    for (const client of clients.splice(0)) client.socket.destroy();
    await bench.clean();
  });

  it('answers discovery without a status field, and only the exact probe', async () => {
    const simulator = await bench.start('snapmaker', { name: 'Shop Artisan' });
    const probe = createSocket('udp4');
    const replies: string[] = [];
    const replied = new Promise<void>((resolve) => {
      probe.on('message', (message) => {
        replies.push(message.toString());
        resolve();
      });
    });
    probe.send('DISCOVER', port(simulator, 'discovery'), '127.0.0.1');
    probe.send('discover', port(simulator, 'discovery'), '127.0.0.1');
    await replied;
    probe.close();
    assert.deepEqual(replies, ['Shop Artisan@127.0.0.1|model:Snapmaker Artisan|SACP:1']);
  });

  it('answers a recorded client to the byte', async () => {
    const simulator = await bench.start('snapmaker');
    const socket = connect(port(simulator, 'sacp'), '127.0.0.1');
    const received: Buffer[] = [];
    socket.on('data', (data: Buffer) => received.push(data));
    const session = fixture('snapmaker/session-luban-client.jsonl')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { from: string; hex: string; commandId: number })
      .slice(0, 12);
    for (const { from, hex } of session) {
      if (from === 'client') socket.write(Buffer.from(hex, 'hex'));
      else {
        await eventually(() => Buffer.concat(received).length * 2 >= hex.length);
        const got = Buffer.concat(received.splice(0));
        assert.equal(got.subarray(0, hex.length / 2).toString('hex'), hex);
        if (got.length * 2 > hex.length) received.push(got.subarray(hex.length / 2));
      }
    }
    socket.destroy();
    assert.equal(readFileSync(join(simulator.ready.truth_log, '..', 'files', 'job-42.gcode'), 'utf8').length, 76);
  });

  it('uploads in chunks, prints to the end and reports the reason of the ending', async () => {
    const simulator = await bench.start('snapmaker', { operator: 'immediate', speed: 300 });
    const client = await paired(simulator);
    const content = Buffer.from(gcode(150) + `; ${'x'.repeat(200)}\n`.repeat(4000));
    const { md5, result } = await client.upload('q-1.gcode', content);
    assert.equal(result, 0);
    assert.deepEqual(
      [...client.chunkRequests].sort((a, b) => a - b),
      Array.from({ length: Math.ceil(content.length / 61440) }, (_, index) => index),
    );
    const stored = readFileSync(join(simulator.ready.truth_log, '..', 'files', 'q-1.gcode'));
    assert.ok(stored.equals(content));

    assert.equal((await client.subscribe(0x01a0)).payload[0], 0);
    assert.equal((await client.subscribe(0xaca0)).payload[0], 0);
    const printing = client.push(0x01a0, statusOf(2));
    const line = client.push(0xaca0, (payload) => payload.readUInt32LE(1) > 0);
    const issue = client.push(0xac01);
    const answer = await client.startPrint('q-1.gcode', md5);
    assert.equal(answer.payload[0], 0);
    const pushed = await printing;
    assert.equal(pushed.attribute, 1);
    await line;
    assert.equal((await client.startPrint('q-1.gcode', md5)).payload[0], 13);
    assert.equal((await issue).payload[0], 0);
    const info = client.next((f) => f.command === 0xac00);
    client.send(1, 0xac00, Buffer.alloc(0));
    const told = await info;
    assert.equal(told.attribute, 0);
    assert.equal(told.payload.subarray(2, 34).toString(), md5);
    assert.equal(told.payload.subarray(36).toString(), 'q-1.gcode');

    const events = truth(simulator);
    assert.deepEqual(
      events.map(({ event, accepted }) => (accepted === undefined ? event : `${event} ${accepted}`)),
      ['upload', 'start true', 'started', 'start false', 'finished', 'bed_cleared'],
    );
    assert.deepEqual(
      events.map(({ bed }) => bed),
      ['clear', 'clear', 'clear', 'q-1.gcode', 'q-1.gcode', 'clear'],
    );
    assert.equal(events[0]?.sha256, createHash('sha256').update(content).digest('hex'));
    assert.equal(events[2]?.identity.md5, md5);
  });

  it('pauses, resumes and stops, each with its own outcome', async () => {
    const simulator = await bench.start('snapmaker', { speed: 300 });
    const client = await paired(simulator);
    const { md5 } = await client.upload('q-2.gcode', Buffer.from(gcode(20_000)));
    assert.equal((await client.startPrint('q-2.gcode', md5)).payload[0], 0);
    for (const [command, outcome] of [
      [0xac04, 0xac15],
      [0xac05, 0xac16],
      [0xac06, 0xac17],
    ] as const) {
      const settled = client.push(outcome);
      const issue = command === 0xac06 ? client.push(0xac01) : undefined;
      assert.equal((await client.request(1, command)).payload[0], 0);
      assert.equal((await settled).payload[0], 0);
      if (issue !== undefined) assert.equal((await issue).payload[0], 12);
    }
    assert.deepEqual(truthNames(simulator), ['upload', 'start', 'started', 'stopped']);
    assert.equal(simulator.state().plate, 'q-2.gcode');
    assert.equal((await control(simulator, '/plate/clear')).status, 200);
    assert.equal(simulator.state().plate, 'clear');
  });

  it('serves one session; a second gets no answer until the first has disconnected', async () => {
    const simulator = await bench.start('snapmaker');
    const first = await paired(simulator);
    const second = await SacpClient.open(port(simulator, 'sacp'));
    clients.push(second);
    second.send(2, 0x0105, Buffer.from('000000000000', 'hex'));
    assert.equal((await first.request(2, 0xb00b)).payload[0], 0);
    assert.equal(second.seen.length, 0);
    await first.request(2, 0x0106);
    assert.equal(await second.hello('another'), 0);
  });

  it('frees the session of a vanished client when a push cannot be written', async () => {
    const simulator = await bench.start('snapmaker');
    const first = await paired(simulator);
    await first.subscribe(0x01a0);
    first.socket.destroy();
    await eventually(() => simulator.state().connected === false);
    assert.ok(await paired(simulator));
  });

  it('asks for approval of a new token, remembers it, and rejects it if configured', async () => {
    const dataDir = bench.folder();
    const simulator = await bench.start('snapmaker', { dataDir });
    await control(simulator, '/fault', { name: 'ask_approval' });
    const client = await SacpClient.open(port(simulator, 'sacp'));
    clients.push(client);
    const answered = client.hello('fresh');
    await eventually(() => client.strayBytes > 0);
    await control(simulator, '/screen/approve');
    assert.equal(await answered, 0);
    await simulator.close();

    const again = await bench.start('snapmaker', { dataDir });
    await control(again, '/fault', { name: 'refuse_pairing' });
    const known = await SacpClient.open(port(again, 'sacp'));
    clients.push(known);
    assert.equal(await known.hello('fresh'), 0);
    await known.request(2, 0x0106);
    const unknown = await SacpClient.open(port(again, 'sacp'));
    clients.push(unknown);
    assert.equal(await unknown.hello('stranger'), 200);
    await eventually(() => unknown.closed);
  });

  it('rejects short periods and unknown items, and lists the dual extruder', async () => {
    const client = await paired(await bench.start('snapmaker'));
    assert.equal((await client.subscribe(0x01a0, 499)).payload[0], 6);
    assert.equal((await client.subscribe(0xb0a0, 1000)).payload[0], 9);
    const info = (await client.request(1, 0x0121)).payload;
    assert.deepEqual([info[0], info[1]], [0, 3]);
    const list = (await client.request(1, 0x0120)).payload;
    const ids: number[] = [];
    for (let at = 2; at < list.length; at += 12 + list.readUInt16LE(at + 10)) ids.push(list.readUInt16LE(at + 1));
    assert.ok(ids.includes(13) && ids.includes(515), ids.join());
    assert.equal((await client.startPrint('missing.gcode', '')).payload[0], 200);
  });

  it('keeps printing while the program is down', async () => {
    const dataDir = bench.folder();
    const before = await bench.start('snapmaker', { dataDir, speed: 300 });
    const client = await paired(before);
    const { md5 } = await client.upload('q-3.gcode', Buffer.from(gcode(20)));
    await client.startPrint('q-3.gcode', md5);
    await before.close();
    assert.deepEqual(truthNames(before), ['upload', 'start', 'started']);

    const after = await bench.start('snapmaker', { dataDir, speed: 300 });
    assert.deepEqual(after.ready.ports, before.ready.ports);
    await eventually(() => truthNames(after).includes('finished'));
    assert.deepEqual(truthNames(after), ['upload', 'start', 'started', 'finished']);
    assert.equal(after.state().plate, 'q-3.gcode');
  });

  it('loses the print and the job name in a power cut, but not the contents of the plate', async () => {
    const simulator = await bench.start('snapmaker', { speed: 300 });
    const client = await paired(simulator);
    const { md5 } = await client.upload('q-7.gcode', Buffer.from(gcode(9000)));
    await client.startPrint('q-7.gcode', md5);
    assert.equal((await control(simulator, '/power-cycle')).status, 200);
    await eventually(() => client.closed);
    const again = await paired(simulator);
    const told = again.next((f) => f.command === 0xac00);
    again.send(1, 0xac00, Buffer.alloc(0));
    assert.equal((await told).payload.subarray(2, 34).toString('latin1'), '\0'.repeat(32));
    await again.subscribe(0x01a0);
    assert.equal((await again.push(0x01a0)).payload[1], 0);
    assert.equal(truth(simulator).at(-1)?.reason, 'power_loss');
    assert.equal(simulator.state().plate, 'q-7.gcode');
  });

  it('can accept a start and do nothing, lose the answer, and break off an upload', async () => {
    const simulator = await bench.start('snapmaker', { speed: 300 });
    const client = await paired(simulator);
    const { md5 } = await client.upload('q-4.gcode', Buffer.from(gcode(20_000)));
    await control(simulator, '/fault', { name: 'start_ignored', times: 1 });
    assert.equal((await client.startPrint('q-4.gcode', md5)).payload[0], 0);
    assert.equal(simulator.state().printing, null);
    await control(simulator, '/fault', { name: 'start_reply_lost', times: 1 });
    client.startPrint('q-4.gcode', md5).catch(() => {});
    await eventually(() => client.closed);
    assert.equal(simulator.state().printing, 'q-4.gcode');
    assert.deepEqual(truthNames(simulator), ['upload', 'start', 'start', 'started']);

    await control(simulator, '/fault', { name: 'upload_breaks', times: 1 });
    const next = await paired(simulator);
    next.upload('q-5.gcode', Buffer.from(gcode(5).repeat(50))).catch(() => {});
    await eventually(() => next.closed);
    assert.equal(truthNames(simulator).filter((event) => event === 'upload').length, 1);
  });

  it('runs out of filament, reports it, and rejects a resume until it is refilled', async () => {
    const simulator = await bench.start('snapmaker', { speed: 300 });
    const client = await paired(simulator);
    await control(simulator, '/fault', { name: 'runout', at: 0.1 });
    const { md5 } = await client.upload('q-6.gcode', Buffer.from(gcode(600)));
    const exception = client.push(0x0400);
    await client.startPrint('q-6.gcode', md5);
    assert.equal((await exception).payload.toString('hex'), '000d000b00');
    const refused = client.push(0xac16);
    await client.request(1, 0xac05);
    assert.equal((await refused).payload[0], 222);
    await control(simulator, '/fault', { name: 'filament_empty', on: false });
    const resumed = client.push(0xac16);
    await client.request(1, 0xac05);
    assert.equal((await resumed).payload[0], 0);
    const issue = client.push(0xac01, (payload) => payload[0] === 0);
    assert.equal((await issue).attribute, 0);
  });

  it('prints with the nozzle that the file selects, in its loaded filament', async () => {
    const simulator = await bench.start('snapmaker', { speed: 200 });
    const client = await paired(simulator);
    const nozzles = client.push(0x10a0, (payload) => payload.readInt32LE(3 + 17 + 9) > 190_000);
    await client.subscribe(0x10a0);
    const { md5 } = await client.upload(
      'right.gcode',
      Buffer.from(gcode(600).replace('M104 S210', 'M104 T1 S210\nT1')),
    );
    await client.startPrint('right.gcode', md5);
    const { payload } = await nozzles;
    // Index, filament (0: there), detection, activity; then diameter, current and target.
    assert.deepEqual([...payload.subarray(3, 7)], [0, 0, 0, 0]);
    assert.deepEqual([...payload.subarray(20, 24)], [1, 0, 0, 1]);
    assert.deepEqual([payload.readInt32LE(16), payload.readInt32LE(33)], [0, 210_000]);
    const finished = await eventually(() => truth(simulator).find(({ event }) => event === 'finished'), 8000);
    assert.deepEqual(
      finished.tools?.map(({ tool, material }) => [tool, material]),
      [[1, 'pla_white_esun']],
    );
  });

  it('reports an empty nozzle as empty, and waits for filament when it must extrude there', async () => {
    const simulator = await bench.start('snapmaker', { speed: 300, loads: { nozzle0: 'pla_black_esun' } });
    const client = await paired(simulator);
    assert.deepEqual([...(await client.request(1, 0x1001, Buffer.from([8]))).payload.subarray(22, 24)], [1, 1]);
    const { md5 } = await client.upload('right.gcode', Buffer.from(gcode(60).replace('M104 S210', 'M104 T1 S210\nT1')));
    const exception = client.push(0x0400);
    await client.startPrint('right.gcode', md5);
    await exception;
    const resume = async (): Promise<number | undefined> => {
      const outcome = client.push(0xac16);
      await client.request(1, 0xac05);
      return (await outcome).payload[0];
    };
    assert.equal(await resume(), 222);
    await control(simulator, '/load', { slot: 'nozzle0', material: 'pla_red_esun' });
    assert.equal(await resume(), 222);
    await control(simulator, '/load', { slot: 'nozzle1', material: 'pla_red_esun' });
    assert.equal(await resume(), 0);
    const finished = await eventually(() => truth(simulator).find(({ event }) => event === 'finished'), 8000);
    assert.equal(finished.tools?.at(-1)?.material, 'pla_red_esun');
  });
});
