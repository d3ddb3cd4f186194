import type { Bounds } from '../files/bounds';
import { volumeOf } from '../fit/volume';
import { makeTraits } from '../makes/traits';
import type { InfillPattern } from '../model/settings';
import { skirt, skirtRoom } from './defaults';
import type { SliceRequest, SlicingMachine } from './slicer';

/** PrusaSlicer's names, where they are others than ours. */
const patternNames: Readonly<Partial<Record<InfillPattern, string>>> = { lines: 'line' };

/** A complete PrusaSlicer profile for one print, as INI text. */
export function prusaProfile({ machine, material, settings, bounds, skirt: wanted }: SliceRequest): string {
  const { min, max } = volumeOf(machine.capabilities, machine.tool);
  const width = number(settings.lineWidth);
  const { nozzleTemperature, bedTemperature, speed, firstLayerSpeed, acceleration } = settings;
  const fan = Math.round(settings.fan * 100);
  const profile: Record<string, string | number> = {
    printer_technology: 'FFF',
    gcode_flavor: makeTraits[machine.make].gcodeFlavour,
    bed_shape: [
      [min.x, min.y],
      [max.x, min.y],
      [max.x, max.y],
      [min.x, max.y],
    ]
      .map(([x, y]) => `${x}x${y}`)
      .join(','),
    max_print_height: max.z,
    nozzle_diameter: settings.nozzleDiameter,
    filament_diameter: material.diameterMm,
    filament_density: material.densityGramsPerCm3,
    filament_cost: material.usdPerKg,
    filament_type: singleLine(material.type),
    temperature: nozzleTemperature,
    first_layer_temperature: nozzleTemperature,
    bed_temperature: bedTemperature,
    first_layer_bed_temperature: bedTemperature,
    layer_height: number(settings.layerHeight),
    first_layer_height: number(settings.firstLayerHeight),
    extrusion_width: width,
    external_perimeter_extrusion_width: width,
    perimeter_extrusion_width: width,
    infill_extrusion_width: width,
    solid_infill_extrusion_width: width,
    top_infill_extrusion_width: width,
    first_layer_extrusion_width: width,
    perimeters: settings.walls,
    top_solid_layers: settings.topLayers,
    bottom_solid_layers: settings.bottomLayers,
    fill_density: `${number(settings.infill * 100)}%`,
    // the others leave gaps at 100 %, and are rejected there
    fill_pattern:
      settings.infill >= 1 ? 'rectilinear' : (patternNames[settings.infillPattern] ?? settings.infillPattern),
    seam_position: settings.seam,
    skirts: wanted ? skirt.loops : 0,
    skirt_distance: skirt.distanceMm,
    skirt_height: 1,
    min_skirt_length: 0,
    brim_width: number(settings.brimWidth),
    support_material: settings.supports === 'none' ? 0 : 1,
    support_material_auto: 1,
    support_material_buildplate_only: settings.supports === 'auto' ? 1 : 0,
    perimeter_speed: speed,
    external_perimeter_speed: number(speed * 0.6),
    small_perimeter_speed: number(speed * 0.5),
    infill_speed: speed,
    solid_infill_speed: speed,
    top_solid_infill_speed: number(speed * 0.7),
    bridge_speed: number(Math.min(speed, 40)),
    gap_fill_speed: number(Math.min(speed, 30)),
    first_layer_speed: number(firstLayerSpeed),
    travel_speed: number(settings.travelSpeed),
    retract_length: number(settings.retractLength),
    retract_speed: number(settings.retractSpeed),
    retract_lift: 0.2,
    cooling: 1,
    fan_always_on: fan > 50 ? 1 : 0,
    max_fan_speed: fan,
    min_fan_speed: Math.round(fan * 0.6),
    bridge_fan_speed: Math.min(100, Math.round(fan * 1.3)),
    disable_fan_first_layers: settings.layersWithoutFan,
    slowdown_below_layer_time: Math.round(settings.shortestLayerSeconds),
    min_print_speed: 10,
    use_relative_e_distances: 1,
    layer_gcode: 'G92 E0',
    machine_limits_usage: 'time_estimate_only',
    machine_max_acceleration_extruding: acceleration,
    machine_max_acceleration_travel: acceleration,
    machine_max_acceleration_retracting: acceleration,
    machine_max_acceleration_x: acceleration,
    machine_max_acceleration_y: acceleration,
    machine_max_acceleration_z: 500,
    machine_max_acceleration_e: acceleration,
    machine_max_feedrate_x: 300,
    machine_max_feedrate_y: 300,
    machine_max_feedrate_z: 30,
    machine_max_feedrate_e: 60,
    machine_max_jerk_x: 9,
    machine_max_jerk_y: 9,
    machine_max_jerk_z: 2,
    machine_max_jerk_e: 3,
    remaining_times: 1,
    gcode_comments: 0,
    start_gcode: startGcode(
      machine,
      { nozzleTemperature, bedTemperature },
      zonesUnder(machine, bounds, settings.brimWidth),
    ).join('\\n'),
    end_gcode: endGcode(machine).join('\\n'),
    ...settings.prusa,
  };
  return `${Object.entries(profile)
    .map(([key, value]) => `${key} = ${value}`)
    .join('\n')}\n`;
}

/**
 * Heat, home, nothing that a particular firmware would have to know, but the zones of a bed that has several, and the
 * tool to print with where it is not the first.
 */
export function startGcode(
  machine: Pick<SlicingMachine, 'make' | 'tool'>,
  { nozzleTemperature, bedTemperature }: { nozzleTemperature: number; bedTemperature: number },
  zones: readonly number[] = [],
): string[] {
  const tool = toolWord(machine);
  const bed = (command: string) =>
    zones.length === 0
      ? [`${command} S${number(bedTemperature)}`]
      : zones.map((tool) => `${command} T${tool} S${number(bedTemperature)}`);
  return [
    'G21',
    'G90',
    ...bed('M140'),
    `M104${tool} S${number(nozzleTemperature)}`,
    'G28',
    ...(tool === '' ? [] : [tool.trim()]),
    ...bed('M190'),
    `M109${tool} S${number(nozzleTemperature)}`,
    'G92 E0',
  ];
}

/**
 * How G-code names the tool to print with; empty for the first, and where `T` names a filament, of which our files have
 * one.
 */
export const toolWord = ({ make, tool }: Pick<SlicingMachine, 'make' | 'tool'>): string =>
  tool === 0 || makeTraits[make].toolWords === 'filaments' ? '' : ` T${tool}`;

/**
 * The zones of the bed that a part with its brim (mm) stands on, by their tool numbers; none for a bed in one piece.
 */
export function zonesUnder(machine: SlicingMachine, bounds: Bounds, brimWidth: number): number[] {
  const reach = skirtRoom(brimWidth);
  return (machine.capabilities.bedZones ?? [])
    .filter(
      ({ min, max }) =>
        bounds.min.x - reach < max.x &&
        bounds.max.x + reach > min.x &&
        bounds.min.y - reach < max.y &&
        bounds.max.y + reach > min.y,
    )
    .map(({ tool }) => tool);
}

function endGcode(machine: SlicingMachine): string[] {
  const { min, max } = volumeOf(machine.capabilities, machine.tool);
  return [
    'G1 E-2 F2100',
    `{if max_layer_z < ${max.z - 5}}G1 Z{max_layer_z + 5} F600{endif}`,
    `G1 X${number(min.x + 5)} Y${number(max.y - 5)} F6000`,
    `M104${toolWord(machine)} S0`,
    'M140 S0',
    'M107',
    'M84',
  ];
}

/** A number without an exponent and without needless digits. */
export const number = (value: number) => String(Number(value.toFixed(4)));

const singleLine = (text: string) => text.replace(/[^\w+-]/g, '').slice(0, 40);
