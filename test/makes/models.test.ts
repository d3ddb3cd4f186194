import { deepStrictEqual, ok, strictEqual } from 'node:assert';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { readAnnouncement } from '../../lib/makes/bambu/discovery';
import { createBambuDriver } from '../../lib/makes/bambu/driver';
import { anyBambu, bambuModel, bambuModels, fileUrl, judgeModel } from '../../lib/makes/bambu/models';
import { PrinterRefusedError } from '../../lib/makes/driver';
import { mergeCapabilities } from '../../lib/makes/known-capabilities';
import { volumeTo } from '../../lib/makes/model-table';
import { anyKlipper, orangeStormGiga } from '../../lib/makes/moonraker/models';
import { artisans } from '../../lib/makes/snapmaker/models';
import type { PrinterCapabilities } from '../../lib/model/printer';
import { PrinterBroker } from '../../lib/simulators/bambu/broker';
import { loadIdentity } from '../../lib/simulators/bambu/certificates';
import { Delivery } from '../../lib/simulators/delivery';
import { Faults } from '../../lib/simulators/faults';
import { capabilities, connectionWhere, temporaryDirectory } from './fixtures';

const every = [...bambuModels, orangeStormGiga, ...artisans];

describe('The table of models', () => {
  it('contains each model that the Bambu driver supports, by every token and by its name', () => {
    const expected = {
      O1D: 'Bambu Lab H2D',
      O1E: 'Bambu Lab H2D Pro',
      O2D: 'Bambu Lab H2D Pro',
      O1S: 'Bambu Lab H2S',
      N7: 'Bambu Lab P2S',
      N6: 'Bambu Lab X2D',
      'BL-P001': 'Bambu Lab X1 Carbon',
      '3DPrinter-X1-Carbon': 'Bambu Lab X1 Carbon',
      C13: 'Bambu Lab X1E',
      C11: 'Bambu Lab P1P',
      C12: 'Bambu Lab P1S',
      N2S: 'Bambu Lab A1',
      N1: 'Bambu Lab A1 mini',
    };
    deepStrictEqual(
      Object.fromEntries(Object.keys(expected).map((token) => [token, bambuModel(token)?.name])),
      expected,
    );
    for (const model of bambuModels) strictEqual(bambuModel(model.name), model);
    strictEqual(bambuModel('A1 mini')?.token, 'N1');
    strictEqual(bambuModel(''), undefined);
    strictEqual(bambuModel('Bambu Lab'), undefined);
  });

  it('has everything that a fit check needs', () => {
    for (const { name, capabilities: can, slots } of every) {
      const { min, max } = can.buildVolume;
      ok(max.x - min.x >= 180 && max.y - min.y >= 180 && max.z >= 180, name);
      ok(can.maxNozzleTemperature >= 300 && can.maxBedTemperature >= 80, name);
      ok((can.acceptsModels ?? []).length > 0 && can.materialTypes.includes('PLA') && slots.length > 0, name);
      const tools = can.nozzleDiameters.length;
      ok(can.toolVolumes === undefined || can.toolVolumes.length === tools, name);
      for (const { tool } of slots) ok(tool < tools, name);
      for (const area of can.bedExclusions ?? []) ok(area.max.x > area.min.x && area.max.y > area.min.y, name);
    }
  });

  it('has the reach of each nozzle of a machine with two, and the excluded corner of the older generation', () => {
    const h2d = bambuModel('O1D')?.capabilities;
    deepStrictEqual(
      h2d?.toolVolumes?.map(({ min, max }) => [min.x, max.x, max.z]),
      [
        [25, 350, 325],
        [0, 325, 320],
      ],
    );
    deepStrictEqual([h2d?.multiNozzleVolume?.min.x, h2d?.multiNozzleVolume?.max.x], [25, 325]);
    const corners = ['BL-P001', 'C13', 'C11', 'C12', 'N2S', 'N1', 'N7'].map(
      (token) => bambuModel(token)?.capabilities.bedExclusions?.[0]?.max ?? null,
    );
    const corner = { x: 18, y: 28 };
    deepStrictEqual(corners, [corner, corner, corner, corner, null, null, null]);
  });

  it("uses each generation's form of an uploaded file's name", () => {
    deepStrictEqual(
      ['O1D', 'N7', 'N6', 'BL-P001', 'C12', 'N1', ''].map((token) => fileUrl(bambuModel(token), 'a.gcode.3mf')),
      [
        'ftp:///a.gcode.3mf',
        'ftp:///a.gcode.3mf',
        'ftp:///a.gcode.3mf',
        'file:///mnt/sdcard/a.gcode.3mf',
        'file:///sdcard/a.gcode.3mf',
        'file:///sdcard/a.gcode.3mf',
        'ftp:///a.gcode.3mf',
      ],
    );
  });

  it('rejects unproved and unknown models, each with a reason', () => {
    for (const token of ['O1C2', 'O1C', 'Bambu Lab H2C', 'N9', 'Bambu Lab A2L', 'Z99']) {
      const verdict = judgeModel({ token });
      ok(verdict?.supported === false && verdict.reason.length > 20, token);
    }
    const reasons = ['O1C2', 'N9', 'Z99'].map((token) => {
      const verdict = judgeModel({ token });
      return verdict?.supported === false ? verdict.reason : '';
    });
    ok(/prints? in the air/.test(reasons[0] ?? '') && /unit 16/.test(reasons[1] ?? ''), reasons.join());
    ok(reasons[2]?.includes('"Z99"') && reasons[2].includes('Bambu Lab P2S'));
    // The machine's own report takes precedence over its serial number.
    strictEqual(judgeModel({ product: 'Bambu Lab H2D', serial: '26A0000' })?.supported, true);
    strictEqual(judgeModel({ serial: '26A0000' })?.supported, false);
    strictEqual(judgeModel({ serial: '0940000' }), undefined);
  });

  it('decides what a search for printers shows: supported, or why not', () => {
    const found = (token: string) =>
      readAnnouncement(
        `NOTIFY * HTTP/1.1\r\nNT: urn:bambulab-com:device:3dprinter:1\r\nUSN: 1\r\nDevModel.bambu.com: ${token}\r\n\r\n`,
        '10.0.0.1',
      );
    deepStrictEqual([found('N7')?.supported, found('N7')?.note, found('N7')?.token], [true, undefined, 'N7']);
    deepStrictEqual([found('O2D')?.supported, found('O2D')?.token], [true, 'O1E']);
    deepStrictEqual([found('O1C2')?.supported, found('O1C2')?.model], [false, 'Bambu Lab H2C']);
    ok(found('O1C2')?.note?.includes('in the air'));
    ok(found('Z99')?.note?.includes('"Z99"'));
  });
});

describe('The known capabilities of a printer', () => {
  const ofModel: PrinterCapabilities = { ...orangeStormGiga.capabilities };

  it("are the owner's, else the reported ones, else those of its model", () => {
    const reported = { nozzleDiameters: [0.6], maxNozzleTemperature: 320 };
    const merged = mergeCapabilities({ nozzleDiameters: [0.8], maxBedTemperature: 90 }, reported, ofModel);
    deepStrictEqual(
      [merged.nozzleDiameters, merged.maxNozzleTemperature, merged.maxBedTemperature, merged.materialTypes],
      [[0.8], 320, 90, ofModel.materialTypes],
    );
    deepStrictEqual(mergeCapabilities({}, { nozzleDiameters: [] }, ofModel), ofModel);
    deepStrictEqual(mergeCapabilities({}, undefined, ofModel), ofModel);
  });

  it('use the travel of the axes as the size of an unknown model, and only as a limit for a known one', () => {
    const travel = { min: { x: 0, y: 0, z: 0 }, max: { x: 405.5, y: 805.5, z: 1020 } };
    deepStrictEqual(mergeCapabilities({}, { buildVolume: travel }, anyKlipper.capabilities).buildVolume, travel);
    deepStrictEqual(mergeCapabilities({}, { buildVolume: travel }, ofModel).buildVolume, volumeTo(405.5, 800, 1000));
    const given = volumeTo(300, 300, 300);
    deepStrictEqual(mergeCapabilities({ buildVolume: given }, { buildVolume: travel }, ofModel).buildVolume, given);
  });

  it("drop the reach of the model's nozzles if the owner sets another volume", () => {
    const h2d = bambuModel('O1D')?.capabilities ?? ofModel;
    const merged = mergeCapabilities({ buildVolume: volumeTo(300, 320, 325) }, undefined, h2d);
    deepStrictEqual([merged.toolVolumes, merged.multiNozzleVolume], [undefined, undefined]);
    ok(mergeCapabilities({}, undefined, h2d).toolVolumes);
  });

  it('are empty for a Bambu that has not reported its model', () => {
    deepStrictEqual(anyBambu.capabilities.buildVolume, volumeTo(0, 0, 0));
    strictEqual(anyBambu.capabilities.model, undefined);
  });
});

describe('A printer of an unsupported model', () => {
  it('is refused at connect with the reason, and not retried', async () => {
    const directory = await temporaryDirectory();
    const serial = '31B00A000000000';
    const identity = loadIdentity(directory.path, serial);
    const broker = await PrinterBroker.create({
      identity,
      serial,
      accessCode: () => '12345678',
      guardsRequests: false,
      mostClients: () => 4,
      delivery: new Delivery(new Faults([])),
      request: (payload) => {
        const { info, pushing } = JSON.parse(payload.toString('utf8')) as Record<string, { sequence_id: string }>;
        if (pushing) broker.publish({ print: { command: 'push_status', msg: 0, gcode_state: 'IDLE' } });
        if (info) {
          const module = [{ name: 'ota', product_name: 'Bambu Lab H2C', sw_ver: '01.01.00.00' }];
          broker.publish({ info: { command: 'get_version', sequence_id: info.sequence_id, module } });
        }
      },
    });
    broker.server.listen(0, '127.0.0.1');
    await once(broker.server, 'listening');
    const driver = createBambuDriver({
      ...{ host: '127.0.0.1', capabilities, timeScale: 1, log: () => {} },
      ...{ serial, accessCode: '12345678', caFile: identity.caFile },
      mqttPort: (broker.server.address() as AddressInfo).port,
    });
    try {
      driver.open();
      const state = await connectionWhere(driver, 'refused');
      ok(state.status === 'refused' && state.error instanceof PrinterRefusedError);
      ok(state.error.message.includes('Bambu Lab H2C') && state.error.message.includes('in the air'));
    } finally {
      await driver.close();
      await broker.close();
      broker.server.close();
      await directory.remove();
    }
  });
});
