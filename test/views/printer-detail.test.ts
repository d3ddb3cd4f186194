import assert from 'node:assert/strict';
import { endpointFor } from '../../lib/api/serve';
import type { Farm } from '../../lib/farm/farm';
import { NotFoundError } from '../../lib/model/errors';
import { printerDetail, printers } from '../../lib/views/queries';
import { dropFarm, makeReady, openBareFarm } from '../support/bare-farm';

describe('One printer', () => {
  let farm: Farm;
  before(async () => {
    farm = await openBareFarm();
    await makeReady(farm);
  });
  after(() => dropFarm(farm));

  it('is shown as in the list of all printers', async () => {
    const listed = (await printers(farm)).printers.find(({ printer_id }) => printer_id === 'elegoo_giga');
    assert.deepEqual(await printerDetail(farm, 'elegoo_giga'), listed);
    await assert.rejects(printerDetail(farm, 'nonesuch'), NotFoundError);
  });

  it('has its own endpoint, beside those of its parts', () => {
    assert.equal(endpointFor('GET', '/printers/elegoo_giga').endpoint.operationId, 'getPrinter');
    assert.equal(endpointFor('GET', '/printers/elegoo_giga/why').endpoint.operationId, 'whyPrinter');
    assert.deepEqual(endpointFor('PUT', '/printers/a%20b/slots/c').params, { id: 'a b', slot: 'c' });
  });
});
