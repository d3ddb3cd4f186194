import { createHash } from 'node:crypto';
import { ZipFile } from 'yazl';

/** A sliced file as Bambu Studio exports it, reduced to the parts that a printer reads. */
export function sliced3mf(gcode: string, { plate = 1, side = 2, nozzle = 0.4, model = 'O1D' } = {}): Promise<Buffer> {
  const zip = new ZipFile();
  const add = (name: string, text: string): void => zip.addBuffer(Buffer.from(text), name);
  add(
    '[Content_Types].xml',
    '<?xml version="1.0" encoding="UTF-8"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">' +
      '<Default Extension="model" ContentType="application/vnd.ms-package.3dmanufacturing-3dmodel+xml"/>' +
      '<Default Extension="gcode" ContentType="text/x.gcode"/></Types>',
  );
  add(`Metadata/plate_${plate}.gcode`, gcode);
  add(`Metadata/plate_${plate}.gcode.md5`, createHash('md5').update(gcode).digest('hex').toUpperCase());
  add(
    `Metadata/plate_${plate}.json`,
    JSON.stringify({
      filament_ids: [0],
      filament_colors: ['#000000'],
      bed_type: 'textured_plate',
      nozzle_diameter: 0.4,
    }),
  );
  add(
    'Metadata/slice_info.config',
    `<?xml version="1.0" encoding="UTF-8"?><config><plate><metadata key="index" value="${plate}"/>` +
      `<metadata key="printer_model_id" value="${model}"/><metadata key="nozzle_diameters" value="${nozzle},${nozzle}"/>` +
      `<metadata key="prediction" value="600"/><metadata key="filament_maps" value="${side}"/>` +
      '<filament id="1" type="PLA" color="#000000" used_m="1" used_g="3"/></plate></config>',
  );
  add(
    'Metadata/project_settings.config',
    JSON.stringify({ printer_model: 'Bambu Lab H2D', nozzle_diameter: ['0.4', '0.4'] }),
  );
  zip.end();
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    zip.outputStream.on('data', (part: Buffer) => parts.push(part));
    zip.outputStream.on('error', reject);
    zip.outputStream.on('end', () => resolve(Buffer.concat(parts)));
  });
}
