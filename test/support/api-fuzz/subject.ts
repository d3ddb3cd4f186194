import { tmpdir } from 'node:os';
import { fixture } from '../../fixtures';
import { platewise } from '../program';
import type { RealFarm } from '../real-farm';
import type { Sender } from './cases';
import type { FuzzSubject } from './run';

const scopes = ['read', 'submit', 'operate', 'admin'] as const;

/** A running farm as a subject without keys: everyone may do everything. */
export async function openSubject(farm: RealFarm): Promise<FuzzSubject> {
  const model = await farm.upload(fixture('models', '20mm-xyz-cube.stl'));
  const { body } = await farm.api<{ materials: { material_id: string }[] }>('/materials');
  const printers = ['bamboo_h2d', 'elegoo_giga', 'snapmaker_artisan'];
  return {
    url: farm.url,
    keys: {},
    secrets: [farm.data, process.cwd(), tmpdir()],
    known: {
      stl_path: [model],
      material_id: body.materials.map(({ material_id }) => material_id),
      printers,
      force_printer: printers,
      printer_id: printers,
      'printers_down[]': printers,
      slot: ['ams0-0', 'extruder', 'nozzle0'],
    },
  };
}

/** The same farm with a key of each scope, which locks it. */
export async function lockedSubject(farm: RealFarm, open: FuzzSubject): Promise<FuzzSubject> {
  const keys: Partial<Record<Sender, string>> = {};
  for (const scope of scopes) {
    const { code, stdout, stderr } = await platewise(['keys', 'create', '--name', `fuzz ${scope}`, '--scope', scope], {
      PLATEWISE_DATA: farm.data,
      DATABASE_URL: '',
    });
    if (code !== 0) throw new Error(stderr);
    keys[scope] = stdout.trim();
  }
  return { ...open, keys, secrets: [...open.secrets, ...Object.values(keys)] };
}
