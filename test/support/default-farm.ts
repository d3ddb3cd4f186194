import { bambuModels } from '../../lib/makes/bambu/models';
import type { PrinterModel } from '../../lib/makes/model-table';
import { orangeStormGiga } from '../../lib/makes/moonraker/models';
import { artisans } from '../../lib/makes/snapmaker/models';
import { printerId } from '../../lib/model/ids';
import type { Make } from '../../lib/model/printer';
import { addDemoMaterials } from '../../lib/stock/demo-materials';
import type { Database } from '../../lib/store/database';
import { printerIsKnown, registerPrinter } from '../../lib/store/printers';

const h2d = bambuModels.find(({ token }) => token === 'O1D');
if (!h2d) throw new Error('The H2D is not in the table of models.');

const printers: readonly { id: string; make: Make; model: PrinterModel }[] = [
  { id: 'bamboo_h2d', make: 'bambu', model: h2d },
  { id: 'elegoo_giga', make: 'moonraker', model: orangeStormGiga },
  { id: 'snapmaker_artisan', make: 'snapmaker', model: artisans[0] },
];

/** Registers the three printers of the default farm, as ones that were connected once and are offline, with the materials of the demonstration. */
export async function addDefaultFarm(database: Database): Promise<void> {
  await database.transaction(async (tx) => {
    await addDemoMaterials(tx);
    for (const { id, make, model } of printers) {
      if (await printerIsKnown(tx, id)) continue;
      const { name, capabilities, slots } = model;
      await registerPrinter(tx, { id: printerId(id), name, make, capabilities, slots: [...slots] });
      await tx.query(`UPDATE printers SET first_connected_at = now() - interval '1 hour' WHERE id = $1`, [id]);
    }
  });
}
