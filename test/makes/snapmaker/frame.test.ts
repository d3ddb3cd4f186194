import { deepStrictEqual, ok, strictEqual } from 'node:assert';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  chunkAnswer,
  chunkCount,
  helloPayload,
  readBed,
  readChunkRequest,
  readCounter,
  readExtruders,
  readFault,
  readFileInfo,
  readHeartbeat,
  readMachineInfo,
  readModules,
  startPayload,
  subscribePayload,
  uploadStartPayload,
} from '../../../lib/makes/snapmaker/commands';
import { checksum, crc8, decodeFrame, encodeFrame, type Frame } from '../../../lib/makes/snapmaker/frame';
import { FrameParser } from '../../../lib/makes/snapmaker/parser';

interface Recorded {
  name?: string;
  hex: string;
  version?: number;
  receiver: number;
  sender: number;
  attribute: number;
  sequence: number;
  commandSet: number;
  commandId: number;
  payloadHex: string;
  crc8: number;
  checksum: number;
}

const fixtures = join(__dirname, '..', '..', 'fixtures', 'snapmaker');
const read = (file: string): Recorded[] => JSON.parse(readFileSync(join(fixtures, file), 'utf8'));
const golden = read('sacp-golden.json');
const captured = read('sacp-captured.json');
const payloadOf = (name: string): Buffer => {
  const found = golden.find((frame) => frame.name === name);
  ok(found, name);
  return Buffer.from(found.payloadHex, 'hex');
};

describe('SACP frames', () => {
  for (const recorded of [...golden, ...captured]) {
    it(`reads and writes ${recorded.name ?? recorded.hex.slice(0, 40)} to the byte`, () => {
      const bytes = Buffer.from(recorded.hex, 'hex');
      const frame = decodeFrame(bytes);
      ok(frame);
      deepStrictEqual(
        [frame.receiver, frame.sender, frame.attribute, frame.sequence, frame.commandSet, frame.commandId],
        [
          recorded.receiver,
          recorded.sender,
          recorded.attribute,
          recorded.sequence,
          recorded.commandSet,
          recorded.commandId,
        ],
      );
      strictEqual(frame.payload.toString('hex'), recorded.payloadHex);
      strictEqual(encodeFrame(frame).toString('hex'), recorded.hex);
      strictEqual(crc8(bytes.subarray(0, 6)), recorded.crc8);
      strictEqual(checksum(bytes.subarray(7, -2)), recorded.checksum);
    });
  }

  it('refuses a frame with a flipped bit', () => {
    for (const [index] of Buffer.from(captured[0]?.hex ?? '', 'hex').entries()) {
      const bytes = Buffer.from(captured[0]?.hex ?? '', 'hex');
      bytes[index] = (bytes[index] ?? 0) ^ 0x10;
      strictEqual(decodeFrame(bytes), undefined);
    }
  });
});

describe('SACP parser', () => {
  const stream = Buffer.concat(golden.map((frame) => Buffer.from(frame.hex, 'hex')));
  const hexOf = (frames: Frame[]): string[] => frames.map((frame) => encodeFrame(frame).toString('hex'));
  const expected = golden.map((frame) => frame.hex);

  for (const size of [1, 2, 7, 13, 64, stream.length]) {
    it(`finds every frame in pieces of ${size} bytes`, () => {
      const parser = new FrameParser();
      const frames: Frame[] = [];
      for (let start = 0; start < stream.length; start += size)
        frames.push(...parser.push(stream.subarray(start, start + size)));
      deepStrictEqual(hexOf(frames), expected);
    });
  }

  it('skips stray bytes and a broken frame', () => {
    const first = Buffer.from(expected[0] ?? '', 'hex');
    const broken = Buffer.from(expected[1] ?? '', 'hex');
    broken[broken.length - 1] = (broken.at(-1) ?? 0) ^ 0xff;
    const last = Buffer.from(expected[2] ?? '', 'hex');
    const parser = new FrameParser();
    const noise = Buffer.from('61aa61aa55', 'hex');
    deepStrictEqual(hexOf(parser.push(Buffer.concat([noise, first, broken, Buffer.from('a'), last]))), [
      expected[0],
      expected[2],
    ]);
    strictEqual(parser.dialogShown, true);
  });
});

describe('SACP payloads', () => {
  it('writes what clients send', () => {
    const upload = readFileSync(join(fixtures, 'upload_payload.gcode'));
    const md5 = 'a2aff182da975386d109e62f79c3ffb7';
    deepStrictEqual(helloPayload('sm2uploader', '', ''), payloadOf('hello_sm2uploader'));
    deepStrictEqual(subscribePayload({ set: 0x01, id: 0xa0 }, 1000), payloadOf('subscribe_heartbeat_1000ms'));
    deepStrictEqual(uploadStartPayload('job-42.gcode', upload.length, md5), payloadOf('upload_start'));
    const chunk = chunkAnswer(md5, 0, upload.length);
    upload.copy(chunk.bytes);
    deepStrictEqual(chunk.payload, payloadOf('chunk_ack'));
    deepStrictEqual(startPayload('job-42.gcode', md5), payloadOf('start_screen_print'));
    deepStrictEqual([chunkCount(1), chunkCount(61_440), chunkCount(61_441)], [1, 1, 2]);
  });

  it("reads the machine's messages", () => {
    const md5 = 'a2aff182da975386d109e62f79c3ffb7';
    deepStrictEqual(readFileInfo(payloadOf('file_info_reply_artisan')), { md5, name: 'job-42.gcode' });
    deepStrictEqual(readFileInfo(Buffer.concat([Buffer.from([0]), payloadOf('file_info_reply_artisan')])), {
      md5,
      name: 'job-42.gcode',
    });
    deepStrictEqual(readChunkRequest(payloadOf('chunk_request')), { md5, index: 0 });
    deepStrictEqual(readMachineInfo(payloadOf('machine_info_ack_artisan')), {
      model: 'Snapmaker Artisan',
      firmware: 'V2.3.4-0624',
      board: '12345678',
    });
    deepStrictEqual(
      readModules(payloadOf('module_list_ack')).map(({ key, id, status }) => [key, id, status]),
      [
        [8, 13, 0],
        [5, 515, 0],
        [9, 16, 0],
      ],
    );
    deepStrictEqual(
      [readHeartbeat(payloadOf('push_heartbeat_printing')), readHeartbeat(Buffer.from('0000', 'hex'))],
      [2, 0],
    );
    strictEqual(readCounter(payloadOf('push_line')), 123_456);
    strictEqual(readCounter(payloadOf('push_print_time')), 3723);
    deepStrictEqual(
      readExtruders(payloadOf('push_extruders_dual')).map(({ current, target, diameter }) => [
        current,
        target,
        diameter,
      ]),
      [
        [214.7, 215, 0.4],
        [24.9, 0, 0.4],
      ],
    );
    deepStrictEqual(readBed(payloadOf('push_bed_two_zones')), [
      { zone: 0, current: 59.8, target: 60 },
      { zone: 1, current: 58.2, target: 60 },
    ]);
    deepStrictEqual(readFault(payloadOf('exception_filament_runout')), { level: 0, owner: 13, state: 11 });
  });

  it('recognises that no job ran since the machine was switched on', () => {
    const none = Buffer.alloc(2 + 32 + 2 + 128);
    none.writeUInt16LE(32, 0);
    none.writeUInt16LE(128, 34);
    strictEqual(readFileInfo(none), undefined);
  });
});
