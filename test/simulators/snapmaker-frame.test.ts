import { strict as assert } from 'node:assert';
import { crc8, encodeFrame, type Frame, FrameReader } from '../../lib/simulators/snapmaker/frame';
import { fixture } from './support';

interface GoldenFrame {
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
}

function load(name: string): GoldenFrame[] {
  const parsed = JSON.parse(fixture(`snapmaker/${name}`)) as GoldenFrame[] | { frames: GoldenFrame[] };
  return Array.isArray(parsed) ? parsed : parsed.frames;
}

function asFrame(golden: GoldenFrame): Frame {
  const { version = 1, receiver, sender, attribute, sequence, commandSet, commandId } = golden;
  const payload = Buffer.from(golden.payloadHex, 'hex');
  return { version, receiver, sender, attribute, sequence, commandSet, commandId, payload };
}

describe('SACP frames of the Snapmaker simulator', () => {
  for (const file of ['sacp-golden.json', 'sacp-captured.json']) {
    it(`encodes and decodes every frame of ${file} to the byte`, () => {
      const frames = load(file);
      assert.ok(frames.length >= 10);
      for (const golden of frames) {
        assert.equal(encodeFrame(asFrame(golden)).toString('hex'), golden.hex, golden.name);
        assert.deepEqual(new FrameReader().push(Buffer.from(golden.hex, 'hex')), [asFrame(golden)], golden.name);
        assert.equal(crc8(Buffer.from(golden.hex, 'hex').subarray(0, 6)), golden.crc8);
      }
    });
  }

  it('finds frames that are joined, cut anywhere and separated by stray bytes', () => {
    const frames = load('sacp-golden.json');
    const stray = Buffer.from([0x61, 0xaa, 0x61, 0xaa, 0x55, 0x00]);
    const stream = Buffer.concat(frames.flatMap(({ hex }) => [stray, Buffer.from(hex, 'hex')]));
    for (const size of [1, 7, 64, stream.length]) {
      const reader = new FrameReader();
      const found: Frame[] = [];
      for (let at = 0; at < stream.length; at += size) found.push(...reader.push(stream.subarray(at, at + size)));
      assert.deepEqual(found, frames.map(asFrame));
    }
  });

  it('drops a frame with a wrong checksum and reads on', () => {
    const [first, second] = load('sacp-golden.json');
    assert.ok(first !== undefined && second !== undefined);
    const damaged = Buffer.from(first.hex, 'hex');
    damaged[14] = (damaged[14] ?? 0) ^ 0xff;
    const found = new FrameReader().push(Buffer.concat([damaged, Buffer.from(second.hex, 'hex')]));
    assert.deepEqual(found, [asFrame(second)]);
  });
});
