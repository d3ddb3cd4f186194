import * as fc from 'fast-check';
import { readFaultList, readMachineInfo, readModules, readPowerLoss } from '../../lib/makes/snapmaker/commands';
import { encodeFrame as encodeOurs, type Frame } from '../../lib/makes/snapmaker/frame';
import { FrameParser } from '../../lib/makes/snapmaker/parser';
import { MachineTracker } from '../../lib/makes/snapmaker/tracker';
import { encodeFrame, FrameReader } from '../../lib/simulators/snapmaker/frame';
import { type Damage, damage, spoil } from './mutate';
import { type FuzzTarget, promise } from './target';

const ours = { name: 'ours.gcode', md5: 'a'.repeat(32), lines: 1000 };
const noticeMs = 5000;

const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};
const text = (value: string): Buffer => {
  const length = Buffer.alloc(2);
  length.writeUInt16LE(Buffer.byteLength(value));
  return Buffer.concat([length, Buffer.from(value)]);
};

/** The machine's message: command, attribute, payload. */
const message = fc.oneof(
  fc.constantFrom(0, 1, 2, 3, 4, 5, 10, 11, 200).map((status) => ({
    ...{ command: 0x01a0, attribute: 1, payload: Buffer.from([0, status, 0]) },
  })),
  fc.constantFrom(ours.name, 'other.gcode').map((name) => ({
    ...{ command: 0xac00, attribute: 0, payload: Buffer.concat([text(ours.md5), text(name)]) },
  })),
  fc.constantFrom(0, 1, 400, 998, 1000, 5000).map((line) => ({
    ...{ command: 0xaca0, attribute: 1, payload: Buffer.concat([Buffer.from([0]), u32(line)]) },
  })),
  fc.constantFrom(0, 8, 12, 16, 21, 22, 99).map((code) => ({
    ...{ command: 0xac01, attribute: 0, payload: Buffer.from([code]) },
  })),
  fc.record({
    command: fc.constantFrom(0x01a0, 0xac00, 0xac01, 0xaca0, 0xaca5, 0x10a0, 0x14a0, 0x0400, 0x0401, 0x0120, 0x0121),
    attribute: fc.nat(1),
    payload: fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes)),
  }),
);

const step = fc.record({
  message,
  sequence: fc.nat(0xffff),
  damages: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, { weight: 2, arbitrary: damage }),
  wait: fc.constantFrom(0, 100, 1000, 6000),
});

interface Case {
  steps: {
    message: { command: number; attribute: number; payload: Buffer };
    sequence: number;
    damages: readonly Damage[];
    wait: number;
  }[];
  pieces: number[];
}

/** Frames of a machine, some of them corrupted, in a stream that is cut anywhere. */
export const snapmaker: FuzzTarget = {
  name: 'snapmaker',
  promise:
    'the parser agrees with an independent one, re-encodes each frame to the byte, keeps less than one frame, and a job is ' +
    'reported as finished only after ac/01 reported it or its own line count reached the end',
  run(cases, seed) {
    let finished = 0;
    const check = ({ steps, pieces }: Case): void => {
      const parser = new FrameParser();
      const reader = new FrameReader();
      const tracker = new MachineTracker(noticeMs);
      tracker.remember(ours.name, { lines: ours.lines, estimatedSeconds: 600 });
      let now = 0;
      let saidFinished = false;
      let reached = false;
      let turn = 0;
      for (const { message: sent, sequence, damages, wait } of steps) {
        now += wait;
        const { command, attribute, payload } = sent;
        const whole = encodeFrame({
          ...{ version: 1, receiver: 0, sender: 1, attribute, sequence, payload },
          ...{ commandSet: command >>> 8, commandId: command & 0xff },
        });
        const bytes = spoil(whole, damages);
        for (let from = 0; from < bytes.length; ) {
          const length = pieces[turn++ % pieces.length] ?? bytes.length;
          const piece = bytes.subarray(from, from + length);
          from += length;
          const found = parser.push(Buffer.from(piece));
          const expected = reader.push(Buffer.from(piece));
          promise(found.length === expected.length, () => `${found.length} frames, not ${expected.length}`);
          found.forEach((frame, index) => {
            const same = Buffer.compare(encodeOurs(frame), encodeFrame(expected[index] ?? neverFrame)) === 0;
            promise(same, () => `frame ${index} differs`);
            const key = (frame.commandSet << 8) | frame.commandId;
            if (key === 0xac01 && frame.payload[0] === 0) saidFinished = true;
            if (key === 0xaca0 && frame.payload.length >= 5 && frame.payload[0] === 0) {
              reached ||= frame.payload.readUInt32LE(1) >= ours.lines - 5;
            }
            readEverything(frame);
            tracker.take(frame, now);
          });
        }
        const seen = tracker.at(now);
        if (seen.ending === 'finished') {
          finished++;
          promise(saidFinished || reached, () => `finished without a reason: ${JSON.stringify(seen.job)}`);
        }
        promise(seen.faults.length <= 64, () => 'the number of faults grows without bound');
      }
      promise(parser.waiting < 65_536 + 16, () => `the parser keeps ${parser.waiting} bytes`);
    };
    const cases_ = fc.record({
      steps: fc.array(step, { minLength: 1, maxLength: 12 }),
      pieces: fc.array(fc.integer({ min: 1, max: 64 }), { minLength: 1, maxLength: 5 }),
    });
    fc.assert(
      fc.property(cases_, (one) => check(one)),
      { numRuns: cases, seed, endOnFailure: true },
    );
    return Promise.resolve(finished);
  },
};

const neverFrame = {
  ...{ version: 0, receiver: 0, sender: 0, attribute: 0, sequence: 0, commandSet: 0, commandId: 0 },
  payload: Buffer.alloc(0),
};

/** Whatever a payload is, no reader may fail on it. */
function readEverything({ payload }: Frame): void {
  readMachineInfo(payload);
  readModules(payload);
  readPowerLoss(payload);
  readFaultList(payload);
}
