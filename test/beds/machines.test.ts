import assert from 'node:assert/strict';
import { admitMachine } from '../../lib/beds/admit-machine';
import { closePrinter, closures, reopenPrinter } from '../../lib/beds/closures';
import { acceptIdentity, removePrinter } from '../../lib/beds/machines';
import { ConditionWatch } from '../../lib/beds/printer-condition';
import { announcePrinter, refinePrinter } from '../../lib/beds/register-printer';
import type { AgentContext } from '../../lib/farm/agent-context';
import type { Farm } from '../../lib/farm/farm';
import type { PreflightFailure, StartOrder } from '../../lib/makes/driver';
import { WrongMachineError } from '../../lib/makes/driver';
import { printerId } from '../../lib/model/ids';
import type { MachineIdentity } from '../../lib/model/machine-identity';
import { clearBed, findPrinter, loadedSlots, lockPrinter, storeReport } from '../../lib/store/printers';
import { printers } from '../../lib/views/queries';
import { arrangeAttempt, endAllAttempts } from '../support/attempts';
import { dropFarm, idle, openBareFarm } from '../support/bare-farm';

const giga = printerId('elegoo_giga');
const h2d = printerId('bamboo_h2d');
const mcu = { mcu: 'aa' };

describe('The machine of a printer', () => {
  let farm: Farm;
  before(async () => {
    farm = await openBareFarm();
  });
  beforeEach(async () => {
    await endAllAttempts(farm);
    await farm.database.query(
      `UPDATE printers SET identity = '{}', stranger = NULL, seen_at = NULL, archived_at = NULL`,
    );
    await farm.database.query('DELETE FROM shared_machine_ids');
  });
  after(() => dropFarm(farm));

  const said: [string, string][] = [];
  /** Connects a machine with these ids as a printer. */
  const meet = (ids: MachineIdentity, { id = giga, complete = true } = {}): Promise<void> => {
    said.length = 0;
    const log = (level: string, text: string) => said.push([level, text]);
    return admitMachine({ database: farm.database, printerId: id, log } as unknown as AgentContext, { ids, complete });
  };
  const pinned = async (id = giga): Promise<MachineIdentity> => (await findPrinter(farm.database, id)).identity;
  const wrong = (message: RegExp, found: MachineIdentity) => (error: unknown) => {
    assert.ok(error instanceof WrongMachineError);
    assert.match(error.message, message);
    assert.deepEqual(error.found, found);
    return true;
  };

  describe('when it connects', () => {
    it('is pinned at the first contact, which is logged once', async () => {
      await meet(mcu);
      assert.deepEqual(await pinned(), mcu);
      assert.deepEqual(said, [['info', 'elegoo_giga is mcu aa from now on.']]);
      await meet(mcu);
      assert.deepEqual(said, []);
    });

    it('gains further ids when it reports more', async () => {
      await meet(mcu);
      await meet({ ...mcu, host: 'h' });
      assert.deepEqual(await pinned(), { ...mcu, host: 'h' });
      assert.deepEqual(said, []);
      await meet({ host: 'h' });
      assert.deepEqual(await pinned(), { ...mcu, host: 'h' });
    });

    it('is rejected if it is a different one', async () => {
      await meet(mcu);
      const name = (await findPrinter(farm.database, giga)).name;
      const words = new RegExp(`^The machine at this address is not ${name}, but mcu bb.$`);
      await assert.rejects(meet({ mcu: 'bb' }), wrong(words, { mcu: 'bb' }));
      await assert.rejects(meet({ mcu: 'bb' }, { complete: false }), wrong(words, { mcu: 'bb' }));
      assert.deepEqual(await pinned(), mcu);
    });

    it('is rejected if it has no id in common, once it has reported them all', async () => {
      await meet(mcu);
      await assert.rejects(meet({ host: 'h' }), wrong(/is not/, { host: 'h' }));
      await assert.rejects(meet({}), wrong(/a machine without an id/, {}));
      await meet({ host: 'h' }, { complete: false });
      assert.deepEqual(await pinned(), mcu, 'nothing is pinned before all ids are reported');
    });

    it('is not pinned before it has reported all its ids', async () => {
      await meet(mcu, { complete: false });
      assert.deepEqual([await pinned(), said], [{}, []]);
    });

    it('is accepted without an id of its own, with a warning', async () => {
      await meet({});
      assert.deepEqual(said, [
        ['warn', 'elegoo_giga reports no id of its own, so another machine at its address would not be noticed.'],
      ]);
    });

    it('is rejected if it is pinned to another printer', async () => {
      await meet(mcu, { id: h2d });
      const { name } = await findPrinter(farm.database, h2d);
      await assert.rejects(meet(mcu), wrong(new RegExp(`^The machine at this address is ${name} \\(mcu aa\\).$`), mcu));
      await assert.rejects(meet({ ...mcu, host: 'h' }, { complete: false }), WrongMachineError);
      assert.deepEqual(await pinned(), {});
      await meet({ mcu: 'bb' });
    });

    it('is a different one if it shares one id and differs in another', async () => {
      await meet({ mcu: 'aa', host: 'one' }, { id: h2d });
      await meet({ mcu: 'aa', host: 'two' });
      assert.deepEqual(await pinned(), { mcu: 'aa', host: 'two' });
    });
  });

  describe('that is a different one', () => {
    const stranger = (found: MachineIdentity | undefined, id = giga) =>
      storeReport(farm.database, id, {
        connected: false,
        problem: null,
        ...(found && { stranger: found }),
        report: undefined,
      });
    const accept = (body: unknown = {}) => acceptIdentity(farm, giga, body, 'ada');

    it('is accepted by an operator, and its bed must be inspected', async () => {
      await farm.database.transaction(async (tx) => clearBed(tx, await lockPrinter(tx, giga), undefined, 'ada'));
      await stranger({ mcu: 'bb' });
      const accepted = await accept({ found: { mcu: 'bb' } });
      assert.deepEqual([accepted.printer_id, accepted.identity], [giga, { mcu: 'bb' }]);
      const {
        identity,
        bedState,
        bedCause,
        bedVersion,
        bedSince,
        stranger: left,
      } = await findPrinter(farm.database, giga);
      assert.deepEqual([identity, bedState, bedCause, left], [{ mcu: 'bb' }, 'occupied', 'unknown', null]);
      assert.deepEqual(accepted.bed, {
        state: 'occupied',
        cause: 'unknown',
        attempt_id: null,
        version: bedVersion,
        since: bedSince,
      });
    });

    it('is not accepted if there is none, or if it has been replaced in the meantime', async () => {
      await stranger(undefined);
      await assert.rejects(accept(), {
        code: 'no_other_machine',
        message: /^No other machine was found/,
        remedy: 'There is nothing to accept.',
      });
      await stranger({ mcu: 'bb' });
      await assert.rejects(accept({ found: { mcu: 'cc' } }), {
        code: 'stale_identity',
        message: /is now mcu bb/,
        remedy: /./,
      });
      assert.deepEqual((await accept(undefined)).identity, { mcu: 'bb' }, 'whichever was found');
    });

    it('is not accepted while it reports no id, because the printer would lose its own', async () => {
      await meet(mcu);
      await stranger({});
      await assert.rejects(accept({ found: {} }), {
        code: 'unidentified_machine',
        message: /reports no id, so it cannot replace mcu aa/,
        remedy: /DELETE printers\/elegoo_giga/,
      });
      assert.deepEqual(await pinned(), mcu);
    });

    it('is not accepted if it is pinned to another printer', async () => {
      await meet({ mcu: 'bb' }, { id: h2d });
      await stranger({ mcu: 'bb' });
      await assert.rejects(accept(), {
        code: 'machine_of_another',
        message: /already/,
        remedy: /bamboo_h2d.*"shared": true/,
      });
      await stranger({ mcu: 'aa' });
      await farm.database.query(`UPDATE printers SET identity = '{"mcu": "aa"}' WHERE id = 'elegoo_giga'`);
      assert.deepEqual(
        (await accept()).identity,
        mcu,
        "the machine that is pinned to this printer is not another printer's",
      );
    });

    describe('and reports the ids of another printer', () => {
      const chip = { mcu: 'counterfeit' };
      /** Both printers report the same ids; the operator has seen that they are two machines. */
      async function share(found: MachineIdentity, others: MachineIdentity = found): Promise<unknown> {
        await meet(others, { id: h2d });
        const refused = await meet(found).then(
          () => assert.fail('It was let in.'),
          (error: WrongMachineError) => error,
        );
        assert.match(refused.remedy, /POST printers\/elegoo_giga\/identity\/accept .*"shared": true/);
        await stranger(found);
        return accept({ found, shared: true });
      }

      it('is accepted when an operator confirms that both share them, and they identify none from then on', async () => {
        await farm.database.transaction(async (tx) => clearBed(tx, await lockPrinter(tx, giga), undefined, 'ada'));
        await share(chip);
        assert.deepEqual([await pinned(giga), await pinned(h2d)], [{}, {}]);
        const { bedState, bedCause, stranger: left } = await findPrinter(farm.database, giga);
        assert.deepEqual([bedState, bedCause, left], ['occupied', 'unknown', null]);
        // Neither is pinned to them at the next contact.
        await meet(chip);
        await meet(chip, { id: h2d });
        assert.deepEqual([await pinned(giga), await pinned(h2d)], [{}, {}]);
      });

      it('keeps the ids that it does not share', async () => {
        await share({ ...chip, host: 'one' }, chip);
        assert.deepEqual([await pinned(giga), await pinned(h2d)], [{ host: 'one' }, {}]);
        await meet({ ...chip, host: 'two' }, { id: h2d });
        assert.deepEqual(await pinned(h2d), { host: 'two' });
        await assert.rejects(meet({ ...chip, host: 'two' }), wrong(/is not/, { host: 'two' }));
        await assert.rejects(meet({ mcu: 'of its own' }), wrong(/is not/, { mcu: 'of its own' }));
      });

      it('is identified by an id of the same kind that is its own', async () => {
        await share(chip);
        await meet({ mcu: 'replaced' });
        assert.deepEqual(await pinned(giga), { mcu: 'replaced' });
        await assert.rejects(meet({ mcu: 'replaced' }, { id: h2d }), WrongMachineError);
      });

      it('does not unpin a third printer', async () => {
        await share(chip);
        const artisan = printerId('snapmaker_artisan');
        await meet({ host: 'h' }, { id: artisan });
        await assert.rejects(meet(chip, { id: artisan }), wrong(/a machine without an id/, {}));
        await stranger(chip, artisan);
        await assert.rejects(acceptIdentity(farm, artisan, { found: chip, shared: true }, 'ada'), {
          code: 'unidentified_machine',
        });
        assert.deepEqual(await pinned(artisan), { host: 'h' });
      });

      it('is not accepted as shared if no two machines report such ids', async () => {
        const certified = { serial: '094ab' };
        await meet(certified, { id: h2d });
        await stranger(certified);
        await assert.rejects(accept({ found: certified, shared: true }), {
          code: 'machine_of_another',
          message: /are one machine/,
        });
        assert.deepEqual(await pinned(h2d), certified);
        const shown = (await printers(farm)).printers.find(({ printer_id }) => printer_id === giga);
        assert.ok(!shown?.actions.some(({ action }) => action === 'accept-identity'), 'nor is it offered');
      });

      it('is not accepted as shared while the other one prints', async () => {
        await meet(chip, { id: h2d });
        await arrangeAttempt(farm, 'dispatched', { printer: h2d });
        await stranger(chip);
        await assert.rejects(accept({ found: chip, shared: true }), {
          code: 'attempt_open',
          message: /lose its identity/,
        });
        assert.deepEqual(await pinned(h2d), chip);
      });

      it('is not accepted as shared without the ids that were seen', async () => {
        await meet(chip, { id: h2d });
        await stranger(chip);
        await assert.rejects(accept({ shared: true }), { code: 'unacceptable_input' });
        await assert.rejects(accept({ found: { mcu: 'cc' }, shared: true }), { code: 'stale_identity' });
        assert.deepEqual(await pinned(h2d), chip);
      });

      it('can be confirmed in the way that the printer names', async () => {
        await meet(chip, { id: h2d });
        await stranger(chip);
        const { name } = await findPrinter(farm.database, h2d);
        const shown = (await printers(farm)).printers.find(({ printer_id }) => printer_id === giga);
        const [action, ...more] = (shown?.actions ?? []).filter((one) => one.action === 'accept-identity');
        assert.deepEqual([more, action?.body], [[], { found: chip, shared: true }]);
        assert.match(action?.why ?? '', new RegExp(name));
        await accept(action?.body);
      });
    });

    it('is not accepted while an attempt is under way', async () => {
      await stranger({ mcu: 'bb' });
      await arrangeAttempt(farm, 'dispatched');
      await assert.rejects(accept(), { code: 'attempt_open', message: /still has an attempt/, remedy: /outcome/ });
    });
  });

  describe('whose printer is removed', () => {
    it('is forgotten', async () => {
      await meet(mcu);
      assert.deepEqual(await removePrinter(farm, giga, 'ada'), { printer_id: giga, removed: true });
      await assert.rejects(findPrinter(farm.database, giga), { code: 'not_found' });
      await meet(mcu, { id: h2d });
    });

    it('is kept while its node is deployed, or an attempt is under way', async () => {
      await storeReport(farm.database, giga, { connected: true, problem: null, report: idle });
      await assert.rejects(removePrinter(farm, giga, 'ada'), {
        code: 'printer_deployed',
        message: /is deployed/,
        remedy: /./,
      });
      await farm.database.query(`UPDATE printers SET seen_at = now() - interval '1 hour'`);
      await arrangeAttempt(farm, 'printing');
      await assert.rejects(removePrinter(farm, giga, 'ada'), {
        code: 'attempt_open',
        message: /still has an attempt/,
        remedy: /machine_off/,
      });
    });
  });
});

describe('A printer that its node registers', () => {
  let farm: Farm;
  beforeEach(async () => {
    farm = await openBareFarm();
  });
  afterEach(() => dropFarm(farm));

  const announce = async (simulated: boolean, id = 'new_printer') => {
    const { capabilities, make } = await findPrinter(farm.database, giga);
    const slots = ['one', 'two', 'three', 'four'].map((slot, tool) => ({ slot, tool }));
    return announcePrinter(farm, { id: printerId(id), name: 'New', make, capabilities, slots }, simulated);
  };
  const loaded = async () =>
    (await loadedSlots(farm.database))
      .filter(({ printerId: id }) => id === 'new_printer')
      .map(({ slot, materialId, gramsLeft }) => [slot, materialId, gramsLeft]);

  it('is occupied and empty until an operator has inspected it', async () => {
    const printer = await announce(false);
    assert.deepEqual([printer.bedState, printer.bedCause], ['occupied', 'unknown']);
    assert.deepEqual(
      (await loaded()).map(([, material]) => material),
      [null, null, null, null],
    );
  });

  it('starts clear and loaded if it is a simulator, which no operator can inspect', async () => {
    const printer = await announce(true);
    assert.deepEqual([printer.bedState, printer.bedVersion], ['clear', 2]);
    const expected = [
      ['one', 'pla_black_esun', 1000],
      ['two', 'pla_white_esun', 1000],
      ['three', 'petg_black_esun', 1000],
      ['four', null, null],
    ];
    assert.deepEqual(await loaded(), expected);
    assert.equal((await announce(true)).bedVersion, 2, 'once');
    assert.deepEqual(await loaded(), expected);
    assert.equal(
      (await loadedSlots(farm.database)).filter(
        ({ printerId: id, spoolId }) => id !== 'new_printer' && spoolId !== null,
      ).length,
      0,
    );
  });

  it('keeps the contents of its slots', async () => {
    await announce(false);
    const { rows } = await farm.database.query<{ id: string }>(
      `INSERT INTO spools (material_id, initial_grams, grams_left) VALUES ('petg_white_esun', 500, 400) RETURNING id`,
    );
    await farm.database.query(
      `UPDATE printer_slots SET spool_id = $1 WHERE printer_id = 'new_printer' AND slot = 'two'`,
      [rows[0]?.id],
    );
    await announce(true);
    assert.deepEqual((await loaded())[1], ['two', 'petg_white_esun', 400]);
  });

  it('is never cleared once it was connected, or once anything about it is known', async () => {
    await announce(false);
    await storeReport(farm.database, printerId('new_printer'), { connected: true, problem: null, report: idle });
    assert.equal((await announce(true)).bedState, 'occupied');
    await farm.database.query(
      `UPDATE printers SET first_connected_at = NULL, bed_cause = 'foreign' WHERE id = 'new_printer'`,
    );
    assert.equal((await announce(true)).bedState, 'occupied');
  });

  it('is updated by its reports', async () => {
    const { capabilities } = await announce(false);
    await refinePrinter(farm, printerId('new_printer'), { ...capabilities, model: 'X1' }, [{ slot: 'five', tool: 4 }]);
    assert.equal((await findPrinter(farm.database, 'new_printer')).capabilities.model, 'X1');
    assert.equal((await loaded()).length, 5);
  });

  it('is closed for a period that an operator sets, and opened again', async () => {
    const at = (hours: number): string => new Date(Date.now() + hours * 3_600_000).toISOString();
    const close = (from: number, until: number) =>
      closePrinter(farm, giga, { from: at(from), until: at(until), reason: 'new nozzle' }, 'ada');
    const refused = {
      code: 'unacceptable_input',
      message: /ends before it begins, or is over/,
      remedy: /in the future/,
    };
    await assert.rejects(close(2, 1), refused);
    await assert.rejects(close(-2, -1), refused);
    await assert.rejects(closePrinter(farm, 'nothing', { from: at(1), until: at(2), reason: 'why' }, 'ada'), {
      code: 'not_found',
    });
    const { id, ...closed } = await close(-1, 1);
    assert.deepEqual((await closures(farm)).closures, [{ id, ...closed }]);
    assert.deepEqual([closed.printer_id, closed.reason], [giga, 'new nozzle']);
    const same = at(3);
    await assert.rejects(
      closePrinter(farm, giga, { from: same, until: same, reason: 'why' }, 'ada'),
      (error: { errors: { field: string; value: unknown }[] }) => {
        assert.deepEqual([error.errors[0]?.field, error.errors[0]?.value], ['until', same]);
        return true;
      },
    );
    assert.deepEqual(await reopenPrinter(farm, id), { id });
    assert.deepEqual((await closures(farm)).closures, []);
    await assert.rejects(reopenPrinter(farm, id), { code: 'not_found' });
  });
});

describe('The condition of a printer', () => {
  let farm: Farm;
  let watch: ConditionWatch;
  let answer: () => Promise<PreflightFailure[]>;
  let asked: StartOrder[];
  const said: string[] = [];
  before(async () => {
    farm = await openBareFarm();
  });
  beforeEach(() => {
    asked = [];
    said.length = 0;
    answer = () => Promise.resolve([storage]);
    watch = new ConditionWatch({
      printerId: giga,
      database: farm.database,
      driver: {
        preflight: (order: StartOrder) => {
          asked.push(order);
          return answer();
        },
      },
      times: { conditionSeconds: 0.05 },
      log: (level: string, text: string) => said.push(`${level}: ${text}`),
    } as unknown as AgentContext);
  });
  afterEach(() => watch.stop());
  after(() => dropFarm(farm));

  const order = { plate: 1 } as StartOrder;
  const storage: PreflightFailure = { check: 'storage', whose: 'printer', message: 'No card.', remedy: 'Put one in.' };
  const mode: PreflightFailure = { check: 'mode', whose: 'printer', message: 'No mode.', remedy: 'Switch it on.' };
  const condition = async () => {
    const { condition: found } = await findPrinter(farm.database, giga);
    return found && [found.code, found.text, found.remedy];
  };
  const until = async (met: () => boolean | Promise<boolean>): Promise<void> => {
    const end = performance.now() + 3000;
    while (!(await met())) {
      if (performance.now() > end) assert.fail('it did not happen in time');
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };

  it('closes it with every failed check, until all pass', async () => {
    await watch.close(order, [storage, mode]);
    assert.deepEqual(await condition(), ['storage', 'No card. No mode.', 'Put one in. Switch it on.']);
    const { rows } = await farm.database.query<{ by: string }>(
      `SELECT body ->> 'changed_by' AS by FROM outbox WHERE body ->> 'code' = 'storage'`,
    );
    assert.deepEqual(rows, [{ by: 'agent:elegoo_giga' }]);
    await until(() => asked.length >= 2);
    assert.deepEqual(await condition(), ['storage', 'No card.', 'Put one in.'], 'the current failures are shown');
    assert.equal(asked[0], order);
    answer = () => Promise.resolve([]);
    await until(async () => (await condition()) === null);
    await until(() => said.length > 0);
    assert.deepEqual(said, ['info: elegoo_giga accepts jobs again.']);
    const { length } = asked;
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.equal(asked.length, length, 'the checks have stopped');
  });

  it('ends when only the file, a slot or the moment is left as an obstacle', async () => {
    await watch.close(order, [storage]);
    answer = () =>
      Promise.resolve([
        { ...storage, whose: 'file' },
        { ...storage, only: 'slot' },
        { ...storage, only: 'moment' },
      ]);
    await until(async () => (await condition()) === null);
  });

  it('is checked again if the printer could not be queried', async () => {
    await watch.close(order, [storage]);
    answer = () => Promise.reject(new Error('offline'));
    await until(() => asked.length >= 3);
    assert.deepEqual((await condition())?.[0], 'storage');
    assert.equal(said[0], 'debug: elegoo_giga could not be checked: offline');
  });

  it('is forgotten when an agent starts, and detected again with the next job', async () => {
    await watch.close(order, [storage]);
    watch.stop();
    const { length } = asked;
    await new Promise((resolve) => setTimeout(resolve, 150));
    assert.equal(asked.length, length, 'an agent that has ended does not query the printer');
    assert.deepEqual((await condition())?.[0], 'storage');
    await watch.start();
    assert.equal(await condition(), null);
    await watch.close(order, [storage]);
    await until(() => asked.length > length);
  });

  it('is not checked by an agent that has ended in the meantime', async () => {
    watch.stop();
    await watch.close(order, [storage]);
    await new Promise((resolve) => setTimeout(resolve, 150));
    assert.equal(asked.length, 0);
  });

  it('is not stored by a check that finishes after the agent has ended', async () => {
    let end: (failures: PreflightFailure[]) => void = () => undefined;
    answer = () =>
      new Promise((resolve) => {
        end = resolve;
      });
    await watch.close(order, [storage]);
    await until(() => asked.length === 1);
    watch.stop();
    end([]);
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.deepEqual((await condition())?.[0], 'storage');
    assert.deepEqual([asked.length, said], [1, []]);
  });
});
