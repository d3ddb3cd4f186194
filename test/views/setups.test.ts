import assert from 'node:assert/strict';
import type { Farm } from '../../lib/farm/farm';
import { printerId } from '../../lib/model/ids';
import { addSpool } from '../../lib/stock/spools';
import { loadedSlots, storeReport } from '../../lib/store/printers';
import { setupDone, setups } from '../../lib/views/setups';
import { addJob, dropFarm, idle, makeReady, openBareFarm } from '../support/bare-farm';

const giga = printerId('elegoo_giga');

describe('A slot that is booked with a filament that the printer does not detect', () => {
  let farm: Farm;
  beforeEach(async () => {
    farm = await openBareFarm();
    await makeReady(farm);
    await storeReport(farm.database, giga, {
      connected: true,
      problem: null,
      report: { ...idle, slots: [{ slot: 'extruder', present: false }] },
    });
  });
  afterEach(() => dropFarm(farm));

  const fillings = async () =>
    (await setups(farm)).setups.filter(({ kind, printer_id }) => kind === 'change_filament' && printer_id === giga);

  it('is one setup, however many jobs wait for it, and names the slot', async () => {
    for (const name of ['a', 'b', 'c']) await addJob(farm, name, { forcePrinter: giga });
    const wanted = await fillings();
    assert.deepEqual(
      wanted.map(({ id, slot, put_in }) => ({ id, slot, put_in })),
      [{ id: 'elegoo_giga:extruder:pla_black_esun', slot: 'extruder', put_in: 'pla_black_esun' }],
    );
  });

  it('is done with the spool that was loaded', async () => {
    await addJob(farm, 'a', { forcePrinter: giga });
    const { spool_id } = await addSpool(farm, { material_id: 'pla_black_esun', grams: 1000 });
    const [wanted] = await fillings();
    await setupDone(farm, wanted?.id ?? '', { spool_id }, 'ada');
    const slot = (await loadedSlots(farm.database)).find((one) => one.printerId === giga && one.slot === 'extruder');
    assert.equal(slot?.spoolId, spool_id);
  });
});
