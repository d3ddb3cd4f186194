import { ok } from 'node:assert';
import { bambu } from '../../bench/fuzz/bambu';
import { ftp } from '../../bench/fuzz/ftp';
import { moonraker } from '../../bench/fuzz/moonraker';
import { snapmaker } from '../../bench/fuzz/snapmaker';

/** A fixed seed, so that a failure is due to the change; the bench (`npm run bench:fuzz`) runs many others. */
const seed = 20_260_101;

describe('drivers with malformed input', () => {
  for (const target of [snapmaker, moonraker, bambu, ftp]) {
    it(`${target.name}: ${target.promise}`, async () => {
      ok((await target.run(500, seed)) > 0);
    });
  }
});
