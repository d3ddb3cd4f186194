import { PNG } from 'pngjs';
import type { Machine } from '../machine';
import type { Profile } from './profiles';
import type { MoonrakerState } from './state';

/** The configured cameras, with the fields of the vintage. */
export function webcamsOf(machine: Machine<MoonrakerState>, profile: Profile): Record<string, unknown>[] {
  const { snapshotUrl } = machine.extra;
  if (snapshotUrl === null) return [];
  const webcam = {
    name: 'bed',
    location: 'printer',
    service: 'mjpegstreamer',
    target_fps: 15,
    stream_url: '/webcam/?action=stream',
    snapshot_url: snapshotUrl,
    flip_horizontal: false,
    flip_vertical: false,
    rotation: 0,
    source: 'database',
  };
  if (profile.legacy) return [webcam];
  return [
    {
      ...webcam,
      enabled: true,
      icon: 'mdiWebcam',
      target_fps_idle: 5,
      aspect_ratio: '4:3',
      extra_data: {},
      uid: '341778f9-387f-455b-8b69-ff68442d41d9',
    },
  ];
}

type Colour = readonly [red: number, green: number, blue: number];

const WIDTH = 320;
const HEIGHT = 240;
const WALL: Colour = [38, 42, 48];
const PLATE: Colour = [92, 98, 106];
const PART: Colour = [232, 133, 48];
const TRACK: Colour = [20, 22, 26];
const BAR: Colour = [88, 190, 120];

/** The camera's picture: the plate, the part at its current height, and the progress as a bar below. */
export function drawBed(engine: Machine<MoonrakerState>['engine']): Buffer {
  const picture = new PNG({ width: WIDTH, height: HEIGHT });
  const fill = (colour: Colour, left: number, top: number, width: number, height: number): void => {
    for (let y = top; y < top + height; y++) {
      for (let x = left; x < left + width; x++) picture.data.set([...colour, 255], (y * WIDTH + x) * 4);
    }
  };
  const grown = engine.run === null ? (engine.last?.fraction ?? 0) : (engine.progress?.fraction ?? 0);
  const height = Math.round(120 * grown);
  fill(WALL, 0, 0, WIDTH, HEIGHT);
  fill(PLATE, 30, 180, 260, 14);
  if (engine.plate !== 'clear') fill(PART, 110, 180 - height, 100, height);
  fill(TRACK, 30, 214, 260, 10);
  fill(BAR, 30, 214, Math.round(260 * grown), 10);
  return PNG.sync.write(picture);
}
