import { createHash } from 'node:crypto';
import { ZipFile } from 'yazl';

/** A filament of a plate for the H2D. */
export interface PlateFilament {
  /** From 1, as in the file. */
  filament: number;
  type: string;
  /** RRGGBB */
  colourHex: string;
  /** The nozzle it is sliced for. */
  side: 'left' | 'right';
}

export interface H2dPrint {
  filaments: readonly PlateFilament[];
  /** mm; a cube stands in the middle of what both nozzles reach. */
  edge: number;
  layerHeight: number;
  nozzle: number;
  bedType: string;
  /** °C */
  nozzleTemperature: number;
  bedTemperature: number;
  /** Lines to put before everything else of the end code. */
  endCode: readonly string[];
}

const usual: H2dPrint = {
  filaments: [{ filament: 1, type: 'PLA', colourHex: '00AE42', side: 'right' }],
  edge: 10,
  layerHeight: 0.2,
  nozzle: 0.4,
  bedType: 'Textured PEI Plate',
  nozzleTemperature: 220,
  bedTemperature: 55,
  endCode: [],
};

const centre = { x: 175, y: 160 };
/** mm of 1.75 mm filament for each mm of a line 0.42 mm wide and 0.2 mm high. */
const filamentPerMm = 0.035;
const gramsPerMm = 0.003;

/**
 * G-code as Bambu Studio 2 writes it for an H2D: header and configuration, the kinds of commands that its public machine
 * profile has in start, filament change, layer change and end code (resources/profiles/BBL/machine/Bambu Lab H2D 0.4 nozzle,
 * of 2025 and 2026), and a cube between them. The text is ours; a real start code has some 250 lines.
 */
export function h2dGcode(print: Partial<H2dPrint> = {}): string {
  const settings = { ...usual, ...print };
  const body = bodyOf(settings);
  return [
    ...headerOf(settings, body.filamentMm),
    ...configurationOf(settings),
    '; EXECUTABLE_BLOCK_START',
    'M73 P0 R8',
    'M201 X16000 Y16000 Z500 E5000',
    'M203 X1000 Y1000 Z30 E50',
    'M204 P16000 R5000 T16000',
    'M205 X9.00 Y9.00 Z3.00 E2.50',
    '; FEATURE: Custom',
    ...startOf(settings),
    ...body.lines,
    '; FEATURE: Custom',
    ...settings.endCode,
    ...endOf(settings),
    'M73 P100 R0',
    '; EXECUTABLE_BLOCK_END',
    '',
  ].join('\n');
}

function headerOf({ filaments, edge }: H2dPrint, filamentMm: readonly number[]): string[] {
  const lengths = filamentMm.map((length) => length.toFixed(2));
  return [
    '; HEADER_BLOCK_START',
    '; BambuStudio 02.04.00.70',
    '; model printing time: 1m 40s; total estimated time: 8m 20s',
    `; total layer number: ${layersOf({ edge })}`,
    `; total filament length [mm] : ${lengths.join(',')}`,
    `; total filament volume [cm^3] : ${filamentMm.map((length) => (length * 2.405).toFixed(2)).join(',')}`,
    `; total filament weight [g] : ${filamentMm.map((length) => (length * gramsPerMm).toFixed(2)).join(',')}`,
    '; filament_density: 1.26',
    '; filament_diameter: 1.75',
    `; max_z_height: ${edge.toFixed(2)}`,
    `; filament: ${filaments.map(({ filament }) => filament).join(',')}`,
    '; HEADER_BLOCK_END',
    '',
  ];
}

const layersOf = ({ edge }: Pick<H2dPrint, 'edge'>, layerHeight = usual.layerHeight) => Math.round(edge / layerHeight);

/** The configuration lists every filament of the project, used or not. */
function configurationOf(settings: H2dPrint): string[] {
  const { filaments, layerHeight, nozzle, bedType, nozzleTemperature, bedTemperature } = settings;
  const slots = Array.from({ length: Math.max(...filaments.map(({ filament }) => filament)) }, (_, index) =>
    filaments.find(({ filament }) => filament === index + 1),
  );
  const list = (separator: string, value: (filament: PlateFilament | undefined) => string) =>
    slots.map(value).join(separator);
  return [
    '; CONFIG_BLOCK_START',
    '; before_layer_change_gcode = ',
    '; change_filament_gcode = M620 S[next_filament_id]A\\nT[next_filament_id]\\nM621 S[next_filament_id]A\\n',
    `; curr_bed_type = ${bedType}`,
    `; filament_colour = ${list(';', (filament) => `#${filament?.colourHex ?? 'FFFFFF'}`)}`,
    `; filament_map = ${list(',', (filament) => (filament?.side === 'left' ? '1' : '2'))}`,
    `; filament_type = ${list(';', (filament) => filament?.type ?? 'PLA')}`,
    `; hot_plate_temp = ${list(',', () => String(bedTemperature))}`,
    `; layer_height = ${layerHeight}`,
    '; machine_end_gcode = M400\\nG92 E0\\nM201.2 K1.0\\nM18\\n',
    '; machine_start_gcode = M993 A0 B0 C0\\nG28\\nM500 ; keep\\nG29.2 S1\\n',
    `; nozzle_diameter = ${nozzle},${nozzle}`,
    `; nozzle_temperature = ${list(',', () => String(nozzleTemperature))}`,
    '; printer_model = Bambu Lab H2D',
    `; printer_settings_id = Bambu Lab H2D ${nozzle} nozzle`,
    '; single_extruder_multi_material = 1',
    '; CONFIG_BLOCK_END',
    '',
  ];
}

/** The commands around a filament change: load, purge, remember the type. */
function load({ filament, type }: PlateFilament): string[] {
  const number = filament - 1;
  return [
    `M620 S${number}A`,
    'M1002 gcode_claim_action : 4',
    'M1002 set_filament_type:UNKNOWN',
    'M400',
    `T${number}`,
    'M400',
    'M628 S0',
    'M629',
    `M1002 set_filament_type:${type}`,
    `M621 S${number}A`,
  ];
}

function startOf(settings: H2dPrint): string[] {
  const { edge, nozzle, nozzleTemperature, bedTemperature, bedType, filaments } = settings;
  const [first] = filaments;
  if (!first) throw new Error('a plate needs a filament');
  const heater = first.side === 'left' ? 1 : 0;
  const low = [centre.x - edge / 2, centre.y - edge / 2];
  return [
    ';M1002 set_flag extrude_cali_flag=1',
    ';===== machine: H2D =====',
    'M993 A0 B0 C0 ; no looking at the nozzle',
    'M400',
    ';M73 P99',
    'M960 S10 P1',
    'M17',
    'M400 S1',
    'M1006 S1',
    'M1006 A53 B9 L99 C53 D9 M99 E53 F9 N99 ',
    'M1006 W',
    'M204 S10000',
    'M630 S0 P0',
    'G90',
    'M17 D',
    'M1002 set_gcode_claim_speed_level 5',
    'M220 S100',
    'M221 S100',
    'M73.2   R1.0',
    'G29.1 Z0 ; no trim',
    'M983.1 M1 ',
    'M901 D4',
    'M481 S0',
    'G28.140 D0',
    'M620 M',
    'G91',
    'G380 S2 Z27 F1200',
    'G380 S2 Z-12 F1200',
    'G90',
    '    M145 P0',
    '    M106 P2 S178',
    '    M140 S0',
    '    M1002 gcode_claim_action : 29',
    '    M191 S0',
    '    M142 P1 R35 S40 U0.3 V0.5',
    `    M1002 set_filament_type:${first.type}`,
    '    M104 S140 A',
    `    M140 S${bedTemperature}`,
    'M982.2 S1',
    'M1002 gcode_claim_action : 13',
    'G28 X T300',
    'G150.1 F18000',
    'G150.3 F18000',
    'M400 P200',
    'M972 S24 P0 T2000',
    'M1009 Q1 L1',
    'G1 X175 Y160 F30000',
    'G28 Z P0 T250',
    'T1001',
    'G383.4',
    `M104 S${nozzleTemperature - 80} T${heater}`,
    'M1002 judge_flag build_plate_detect_flag',
    'M622 S1',
    '    M972 S19 P0 C0',
    'M623',
    `G151 P${heater} M`,
    'M211 X0 Y0 Z0',
    'M975 S1',
    'G29.2 S0',
    `M620.10 A0 F299.339 H${nozzle} T240 P${nozzleTemperature} S1`,
    `M620.10 A1 F299.339 H${nozzle} T240 P${nozzleTemperature} S1`,
    'M620.11 P0 I0 E0',
    'M628 S1',
    '    M620.11 S1 L0 I0 R10 D8 E-18 F299.339',
    'M629',
    ...load(first),
    `M104 S${nozzleTemperature}`,
    'M106 P1 S0',
    'G29.2 S1',
    'M1002 judge_flag extrude_cali_flag',
    'M622 J0',
    '    M983.3 F10 A0.4',
    'M623',
    'M622 J1',
    '    M1002 gcode_claim_action : 8',
    `    M109 S${nozzleTemperature}`,
    '    M83',
    '    M983.3 F10 A0.4',
    '    G150.3',
    'M623',
    '    M83',
    '    G1 E45 F299.339',
    '    G1 E-3 F1800',
    '    M400 P500',
    '    G150.2',
    '    G150.1',
    'G91',
    'G1 Y-16 F12000',
    'G90',
    'M1002 gcode_claim_action : 14',
    `    G150 T${nozzleTemperature}`,
    'M1002 judge_flag g29_before_print_flag',
    `M190 S${bedTemperature}`,
    'M109 S140 A',
    'G91',
    'G1 Z5 F1200',
    'G90',
    'M622 J1',
    '    M1002 gcode_claim_action : 1',
    '    G29.20 A3',
    `    G29 A1 O X${low[0]} Y${low[1]} I${edge} J${edge} R `,
    '    M400',
    '    M500 ; keep what was measured',
    'M623',
    'M622 J0',
    '    G28 R',
    'M623',
    '    G383 O0 M2 T140',
    '    M500',
    'G39.1',
    'G1 X270 Y-0.5 F60000',
    'G28.140 S0',
    `M104 S${nozzleTemperature} A`,
    '    T1000',
    '    M400 P200',
    '    M970.3 Q1 A5 K0 O1',
    '    M974 Q1 S2 P0',
    '    M500',
    '    M975 S1',
    'M1026',
    'G29.9',
    'M1002 judge_flag auto_cali_toolhead_offset_flag',
    'M622 J0',
    '    M1012.5 N1 R1',
    'M623',
    'M622 J1',
    '    M1002 gcode_claim_action : 39',
    `    M620.17 T0 S${nozzleTemperature} L0`,
    `    G383 O1 T${nozzleTemperature} L0`,
    '    M500',
    'M623',
    'M1002 gcode_claim_action : 0',
    'G91',
    'G1 Z6 F1200',
    'G90',
    ...load(first),
    `M140 S${bedTemperature} `,
    `M190 S${bedTemperature} `,
    'M960 S1 P0',
    'M106 S0',
    ...(bedType === 'Textured PEI Plate' ? ['        G29.1 Z-0.02 ; for the texture'] : []),
    'G150.1',
    'M983.4 S1',
    'G29.2 S1',
    'G29.7 S1',
    'G1 Z5 F1200',
    'G1 Y295 F30000',
    '    M83',
    '    G1 X270 Y-0.5 F60000',
    '    G28.14 R0',
    '    G29.2 S0',
    '    G91',
    '    G1 Z0.8 F1200',
    '    G90',
    '    G1 X250 F60000',
    `    M109 S${nozzleTemperature}`,
    '    G1 E5 F299.339',
    '    G1 X290 E10 F299.339',
    '    G91',
    '    G3 Z0.4 I1.217 J0 P1 F60000',
    '    G90',
    '    G29.2 S1',
    'M993 A1 B1 C1',
    'M1015.3 S0',
    `M1015.4 S1 K1 H${nozzle}`,
    'M620.6 I0 W1',
    'M211 Z1',
    'G29.99',
    'M971 S11 C11 O0',
    'G90',
    'G21',
    'M83 ; only relative extrusion',
    'M981 S1 P20000',
  ];
}

function bodyOf(settings: H2dPrint): { lines: string[]; filamentMm: number[] } {
  const { edge, layerHeight, filaments } = settings;
  const filamentMm = filaments.map(() => 0);
  const lines: string[] = [];
  const layers = layersOf(settings, layerHeight);
  let loaded = 0;
  for (let layer = 0; layer < layers; layer++) {
    const z = ((layer + 1) * layerHeight).toFixed(2);
    lines.push(
      '; CHANGE_LAYER',
      `; Z_HEIGHT: ${z}`,
      `; LAYER_HEIGHT: ${layerHeight}`,
      `; layer num/total_layer_count: ${layer + 1}/${layers}`,
      `M73 L${layer + 1}`,
      `M991 S0 P${layer} ;notify layer change`,
      'M106 S255',
    );
    // layer by layer another filament
    const now = layer % filaments.length;
    const next = filaments[now];
    if (now !== loaded && next) {
      lines.push('M993 A2 B2 C2', 'M993 A0 B0 C0', 'M204 S9000', 'SYNC T5', ...load(next), 'M983.3 F10 A0.4', 'M83');
      lines.push(`M620.6 I${next.filament - 1} W1`, 'M993 A3 B3 C3', 'M204 S10000');
      loaded = now;
    }
    lines.push('; start printing object, unique label id: 15', 'M624 AQAAAAAAAAA=', `G1 Z${z} F1200`);
    for (let inset = 0; inset < 3; inset++) {
      const half = edge / 2 - 0.21 - inset * 0.42;
      const corners = [
        [centre.x + half, centre.y - half],
        [centre.x + half, centre.y + half],
        [centre.x - half, centre.y + half],
        [centre.x - half, centre.y - half],
      ] as const;
      lines.push(`; FEATURE: ${inset === 0 ? 'Outer wall' : 'Inner wall'}`, '; LINE_WIDTH: 0.42');
      lines.push(`G1 X${(centre.x - half).toFixed(3)} Y${(centre.y - half).toFixed(3)} F30000`);
      for (const [x, y] of corners) {
        const push = half * 2 * filamentPerMm;
        lines.push(`G1 X${x.toFixed(3)} Y${y.toFixed(3)} E${push.toFixed(5)} F9000`);
        filamentMm[now] = (filamentMm[now] ?? 0) + push;
      }
    }
    lines.push(
      'G1 E-.8 F1800',
      'M625',
      'G17',
      `G3 Z${(Number(z) + 0.4).toFixed(2)} I1.217 J0 P1 F60000`,
      'G1 E.8 F1800',
    );
  }
  return { lines, filamentMm };
}

function endOf({ edge }: H2dPrint): string[] {
  return [
    '; close powerlost recovery',
    'M1003 S0',
    'G1 E-.8 F1800',
    'M106 S0',
    'M981 S0 P20000',
    ';===== H2D end =====',
    'M73 P100 R0',
    'G392 S0',
    'M993 A0 B0 C0',
    'M400',
    'G92 E0',
    'M211 Z1',
    'G90',
    `G1 Z${edge + 0.4} F900`,
    'M1002 judge_flag timelapse_record_flag',
    'M622 J1',
    '    G150.3',
    '    M991 S0 P-1',
    '    M400 S5',
    'M623',
    'M141 S0',
    'M140 S0',
    'M106 S0',
    'M106 P2 S0',
    'M620 S65535',
    'T65535',
    'G150.2',
    'M621 S65535',
    'M620 S65279',
    'T65279',
    'G150.2',
    'M621 S65279',
    'G150.3',
    'M104 S0 T0; off',
    'M104 S0 T1; off',
    'M400',
    'M17 S',
    'M17 Z0.4',
    `G1 Z${edge + 100} F600`,
    `G1 Z${edge + 98}`,
    'M400 P100',
    'M17 R',
    'M220 S100',
    'M201.2 K1.0 ; usual acceleration',
    'M73.2   R1.0',
    'M1002 set_gcode_claim_speed_level : 0',
    'M1015.4 S0 K0',
    'M622.1 S0',
    'M17',
    'M400 S1',
    'M1006 S1',
    'M1006 A53 B10 L99 C53 D10 M99 E53 F10 N99 ',
    'M1006 W',
    'M400',
    'M18',
  ];
}

/** One plate of a sliced archive. */
export interface SlicedH2dPlate extends Partial<H2dPrint> {
  /** From 1. */
  plate: number;
  name?: string;
  /** Its G-code; `h2dGcode` of these settings without it. */
  gcode?: string;
}

/**
 * A `.gcode.3mf` as Bambu Studio exports it, of one plate (whatever its number) or of several: each with G-code, MD5, figures
 * in `plate_N.json` and `slice_info.config`, and the settings of the project.
 */
export function h2dArchive(
  plates: readonly SlicedH2dPlate[] = [{ plate: 1 }],
  { model = 'O1D', modelName = 'Bambu Lab H2D' } = {},
): Promise<Buffer> {
  const zip = new ZipFile();
  const add = (name: string, text: string): void => zip.addBuffer(Buffer.from(text), name);
  add('[Content_Types].xml', contentTypes);
  add('_rels/.rels', relationships);
  add('3D/3dmodel.model', emptyModel);
  for (const sliced of plates) {
    const settings = { ...usual, ...sliced };
    const gcode = sliced.gcode ?? h2dGcode(sliced);
    const member = `Metadata/plate_${sliced.plate}`;
    add(`${member}.gcode`, gcode);
    add(`${member}.gcode.md5`, createHash('md5').update(gcode).digest('hex').toUpperCase());
    add(`${member}.json`, JSON.stringify(plateJson(settings)));
  }
  add('Metadata/slice_info.config', sliceInfo(plates, model));
  add('Metadata/model_settings.config', modelSettings(plates));
  add('Metadata/project_settings.config', JSON.stringify(projectSettings(plates, modelName), null, 1));
  zip.end();
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    zip.outputStream.on('data', (part: Buffer) => parts.push(part));
    zip.outputStream.on('error', reject);
    zip.outputStream.on('end', () => resolve(Buffer.concat(parts)));
  });
}

function plateJson({ edge, filaments, nozzle, layerHeight }: H2dPrint) {
  const bbox = [centre.x - edge / 2, centre.y - edge / 2, centre.x + edge / 2, centre.y + edge / 2];
  return {
    bbox_all: bbox,
    bbox_objects: [{ area: edge * edge, bbox, id: 15, layer_height: layerHeight, name: 'cube' }],
    bed_type: 'textured_plate',
    filament_colors: filaments.map(({ colourHex }) => `#${colourHex}`),
    filament_ids: filaments.map(({ filament }) => filament - 1),
    first_extruder: (filaments[0]?.filament ?? 1) - 1,
    is_seq_print: false,
    nozzle_diameter: nozzle,
    version: 2,
  };
}

function sliceInfo(plates: readonly SlicedH2dPlate[], model: string): string {
  const text = plates.map((sliced) => {
    const settings = { ...usual, ...sliced };
    const { filamentMm } = bodyOf(settings);
    const metadata = (key: string, value: string | number) => `    <metadata key="${key}" value="${value}"/>\n`;
    const total = filamentMm.reduce((sum, length) => sum + length, 0);
    const maps = Array.from({ length: Math.max(...settings.filaments.map(({ filament }) => filament)) }, (_, index) =>
      settings.filaments.find(({ filament }) => filament === index + 1)?.side === 'left' ? 1 : 2,
    );
    return `  <plate>\n${metadata('index', sliced.plate)}${metadata('extruder_type', 0)}${metadata('nozzle_volume_type', 0)}${metadata('printer_model_id', model)}${metadata('nozzle_diameters', `${settings.nozzle},${settings.nozzle}`)}${metadata('timelapse_type', 0)}${metadata('prediction', 500)}${metadata('weight', (total * gramsPerMm).toFixed(2))}${metadata('outside', 'false')}${metadata('support_used', 'false')}${metadata('label_object_enabled', 'true')}${metadata('filament_maps', maps.join(' '))}    <object identify_id="15" name="cube" skipped="false"/>\n${settings.filaments
      .map(
        ({ filament, type, colourHex, side }, index) =>
          `    <filament id="${filament}" tray_info_idx="GFL99" type="${type}" color="#${colourHex}" used_m="${((filamentMm[index] ?? 0) / 1000).toFixed(2)}" used_g="${((filamentMm[index] ?? 0) * gramsPerMm).toFixed(2)}" group_id="${side === 'left' ? 0 : 1}" nozzle_diameter="${settings.nozzle.toFixed(2)}" volume_type="Standard"/>\n`,
      )
      .join('')}  </plate>\n`;
  });
  return `${xml}<config>\n  <header>\n    <header_item key="X-BBL-Client-Type" value="slicer"/>\n    <header_item key="X-BBL-Client-Version" value="02.04.00.70"/>\n  </header>\n${text.join('')}</config>\n`;
}

function modelSettings(plates: readonly SlicedH2dPlate[]): string {
  const metadata = (key: string, value: string | number) => `    <metadata key="${key}" value="${value}"/>\n`;
  const text = plates.map(
    ({ plate, name = '' }) =>
      `  <plate>\n${metadata('plater_id', plate)}${metadata('plater_name', name)}${metadata('locked', 'false')}${metadata('gcode_file', `Metadata/plate_${plate}.gcode`)}${metadata('pattern_bbox_file', `Metadata/plate_${plate}.json`)}  </plate>\n`,
  );
  return `${xml}<config>\n${text.join('')}</config>\n`;
}

function projectSettings(plates: readonly SlicedH2dPlate[], modelName: string) {
  const settings = { ...usual, ...plates[0] };
  return {
    from: 'project',
    name: 'project_settings',
    version: '02.04.00.70',
    printer_model: modelName,
    nozzle_diameter: [String(settings.nozzle), String(settings.nozzle)],
    filament_type: settings.filaments.map(({ type }) => type),
    filament_colour: settings.filaments.map(({ colourHex }) => `#${colourHex}`),
    curr_bed_type: settings.bedType,
    layer_height: String(settings.layerHeight),
  };
}

const xml = '<?xml version="1.0" encoding="UTF-8"?>\n';

const contentTypes = `${xml}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
 <Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
 <Default Extension="model" ContentType="application/vnd.ms-package.3dmanufacturing-3dmodel+xml"/>
 <Default Extension="gcode" ContentType="text/x.gcode"/>
</Types>
`;

const relationships = `${xml}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
 <Relationship Target="/3D/3dmodel.model" Id="rel-1" Type="http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel"/>
</Relationships>
`;

const emptyModel = `${xml}<model unit="millimeter" xml:lang="en-US" xmlns="http://schemas.microsoft.com/3dmanufacturing/core/2015/02">
 <metadata name="Application">BambuStudio-02.04.00.70</metadata>
 <resources/>
 <build/>
</model>
`;
