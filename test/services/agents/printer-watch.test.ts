import assert from 'node:assert/strict';
import type { AgentContext } from '../../../lib/farm/agent-context';
import type { Farm } from '../../../lib/farm/farm';
import { printerId } from '../../../lib/model/ids';
import type { PrinterReport } from '../../../lib/model/printer';
import { PrinterWatch } from '../../../lib/services/agents/printer-watch';
import { type Database, DatabaseUnavailableError } from '../../../lib/store/database';
import { findPrinter, type Printer } from '../../../lib/store/printers';
import { agentContext } from '../../support/agent-context';
import { dropFarm, makeReady, openBareFarm } from '../../support/bare-farm';
import { StubDriver } from '../../support/stub-driver';

const artisan = printerId('snapmaker_artisan');

describe('The watch of a printer', () => {
  let farm: Farm;
  let driver: StubDriver;
  let watch: PrinterWatch;
  let databaseIsAway: boolean;

  /** The farm's database, which rejects every query while it is away. */
  const interrupted = (database: Database): Database =>
    new Proxy(database, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        return (...given: unknown[]): unknown => {
          if (databaseIsAway && (name === 'transaction' || name === 'query'))
            return Promise.reject(new DatabaseUnavailableError(new Error('It is away.')));
          return Reflect.apply(value, target, given) as unknown;
        };
      },
    });

  beforeEach(async () => {
    databaseIsAway = false;
    farm = await openBareFarm();
    await makeReady(farm);
    driver = new StubDriver();
    const context: AgentContext = agentContext(farm, artisan, driver);
    watch = new PrinterWatch({ ...context, database: interrupted(farm.database) });
    watch.start();
  });
  afterEach(async () => {
    await watch.stop(false);
    await dropFarm(farm);
  });

  const show = async (report: Partial<PrinterReport>): Promise<Printer> => {
    driver.show(report);
    await watch.settled();
    return findPrinter(farm.database, artisan);
  };
  // This make identifies prints by their names only.
  const last = { name: 'part.gcode' };
  const ended: Partial<PrinterReport> = { state: 'idle', job: last, ending: 'finished', progress: 1 };

  /** The printer has finished a print, and an operator has cleared its bed. */
  const usedAndCleared = async (): Promise<void> => {
    await show(ended);
    await farm.database.query(
      `UPDATE printers SET bed_state = 'clear', bed_cause = NULL, bed_attempt_id = NULL WHERE id = 'snapmaker_artisan'`,
    );
    assert.equal((await show(ended)).bedState, 'clear');
  };

  /** The same, while another agent serves the printer. */
  const usedAndClearedBy = async (other: PrinterWatch): Promise<void> => {
    other.start();
    driver.show(ended);
    await other.settled();
    await farm.database.query(
      `UPDATE printers SET bed_state = 'clear', bed_cause = NULL, bed_attempt_id = NULL WHERE id = 'snapmaker_artisan'`,
    );
    await other.stop(false);
  };

  it('occupies the bed after a print that came and went while the database was away', async () => {
    await usedAndCleared();
    databaseIsAway = true;
    for (const report of [{ state: 'printing', job: last, progress: 0.5 } as const, ended]) {
      driver.show(report);
      await watch.settled();
    }
    databaseIsAway = false;
    const { bedState, bedCause } = await show(ended);
    assert.deepEqual([bedState, bedCause], ['occupied', 'unknown']);
  });

  it('starts afresh after another agent has served the printer', async () => {
    for (let progress = 0; progress < 1; progress += 0.1) driver.show({ state: 'printing', job: last, progress });
    await watch.stop(false);
    driver.emit('report', driver.report as PrinterReport);
    await usedAndClearedBy(new PrinterWatch(agentContext(farm, artisan, driver)));
    watch.start();
    assert.equal((await show(ended)).bedState, 'clear');
  });

  it('leaves the bed clear if nothing was printed while the database was away', async () => {
    await usedAndCleared();
    databaseIsAway = true;
    driver.show(ended);
    await watch.settled();
    databaseIsAway = false;
    assert.equal((await show({ ...ended, temperatures: [] })).bedState, 'clear');
  });

  it('does not occupy the bed a second time after a print that it observed', async () => {
    await usedAndCleared();
    for (let progress = 0; progress < 1; progress += 0.01) driver.show({ state: 'printing', job: last, progress });
    assert.equal((await show(ended)).bedCause, 'foreign');
    const version = (await findPrinter(farm.database, artisan)).bedVersion;
    assert.equal((await show({ ...ended, progress: 0.99 })).bedVersion, version);
  });
});
