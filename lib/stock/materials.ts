import { type MaterialChange, parseMaterialChange, parseNewMaterial } from '../contracts/messages';
import type { Material as ContractMaterial } from '../contracts/stock';
import type { Farm } from '../farm/farm';
import { ConflictError, NotFoundError } from '../model/errors';
import { type MaterialId, materialId } from '../model/ids';
import type { Material } from '../model/material';
import { findUsableMaterial, type Stock, stockOfMaterials, usableMaterials } from '../store/materials';
import type { Queryable } from '../store/queryable';
import { archiveMaterial, insertMaterial, updateMaterial, usersOfMaterial } from '../store/stock-changes';

/** A material in the form of the API, with its stock (grams). */
export type MaterialView = ContractMaterial;

const materialView = (material: Material, stock: Stock | undefined): MaterialView => ({
  material_id: material.id,
  name: material.name,
  type: material.type,
  colour: material.colour,
  colour_hex: material.colourHex,
  brand: material.brand,
  density_g_cm3: material.densityGramsPerCm3,
  diameter_mm: material.diameterMm,
  usd_per_kg: material.usdPerKg,
  nozzle_temp: material.nozzleTemperature,
  bed_temp: material.bedTemperature,
  grams_left: stock?.gramsLeft ?? 0,
  grams_promised: stock?.gramsPromised ?? 0,
});

/** Returns all materials that are not archived. */
export async function materials(farm: Farm): Promise<{ materials: MaterialView[] }> {
  const [all, stock] = await farm.database.read(
    async (db) => [await usableMaterials(db), await stockOfMaterials(db)] as const,
  );
  const stockOf = new Map(stock.map((one) => [one.materialId, one]));
  return { materials: all.map((material) => materialView(material, stockOf.get(material.id))) };
}

async function viewOf(db: Queryable, material: Material): Promise<MaterialView> {
  const stock = (await stockOfMaterials(db)).find((one) => one.materialId === material.id);
  return materialView(material, stock);
}

/**
 * Adds a material; an archived one with the same id is restored with the new description.
 * @throws ConflictError a material with this id exists
 */
export async function addMaterial(farm: Farm, input: unknown): Promise<MaterialView> {
  const { material_id, ...rest } = parseNewMaterial(input);
  const material = changed({ ...unnamed, id: materialId(material_id) }, rest);
  return farm.database.transaction(async (tx) => {
    if (!(await insertMaterial(tx, material))) {
      throw new ConflictError(
        `The material "${material.id}" already exists.`,
        'Change it (PATCH materials/{id}), or choose another id.',
        'material_exists',
      );
    }
    return viewOf(tx, material);
  });
}

/** Returns the remedy for an unknown material. */
export async function knownMaterialRemedy(db: Queryable): Promise<string> {
  const all = await usableMaterials(db);
  const first = all.find(({ type }) => type === 'PLA') ?? all[0];
  if (!first) return 'The farm has no material yet: add it first (POST materials).';
  return `Use the id of a material that the farm knows, for example ${first.id}.`;
}

/** The defaults of an incomplete description. */
const unnamed: Omit<Material, 'id'> = {
  name: '',
  type: '',
  colour: '',
  colourHex: '808080',
  brand: '',
  densityGramsPerCm3: 1.24,
  diameterMm: 1.75,
  usdPerKg: 0,
  nozzleTemperature: 210,
  bedTemperature: 60,
};

/** Changes a material; waiting jobs are judged by the new description. @throws NotFoundError */
export async function changeMaterial(farm: Farm, id: string, input: unknown): Promise<MaterialView> {
  const change = parseMaterialChange(input);
  return farm.database.transaction(async (tx) => {
    const material = changed(await existing(tx, id), change);
    await updateMaterial(tx, material);
    return viewOf(tx, material);
  });
}

/**
 * Archives a material; it stays in the history.
 * @throws ConflictError open jobs name it, or it is loaded
 */
export async function removeMaterial(farm: Farm, id: string): Promise<{ material_id: MaterialId; archived: true }> {
  return farm.database.transaction(async (tx) => {
    const material = await existing(tx, id);
    const { jobs, slots } = await usersOfMaterial(tx, material.id);
    if (jobs > 0 || slots > 0) {
      const users = [jobs > 0 ? counted(jobs, 'open job') : '', slots > 0 ? counted(slots, 'slot') : ''].filter(
        (one) => one !== '',
      );
      throw new ConflictError(
        `${material.name} is used by ${users.join(' and ')}.`,
        'Let the jobs end or cancel them, and remove the spools from their slots.',
        'material_in_use',
      );
    }
    await archiveMaterial(tx, material.id);
    return { material_id: material.id, archived: true };
  });
}

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

async function existing(db: Queryable, id: string): Promise<Material> {
  const material = await findUsableMaterial(db, id);
  if (!material) throw new NotFoundError('material', id);
  return material;
}

function changed(material: Material, change: MaterialChange): Material {
  return {
    id: material.id,
    name: change.name ?? material.name,
    type: change.type?.toUpperCase() ?? material.type,
    colour: change.colour ?? material.colour,
    colourHex: change.colour_hex?.replace('#', '').toUpperCase() ?? material.colourHex,
    brand: change.brand ?? material.brand,
    densityGramsPerCm3: change.density_g_cm3 ?? material.densityGramsPerCm3,
    diameterMm: change.diameter_mm ?? material.diameterMm,
    usdPerKg: change.usd_per_kg ?? material.usdPerKg,
    nozzleTemperature: change.nozzle_temp ?? material.nozzleTemperature,
    bedTemperature: change.bed_temp ?? material.bedTemperature,
  };
}
