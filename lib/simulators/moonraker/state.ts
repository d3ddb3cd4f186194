import { faultNumber } from '../faults';
import type { FileDigest, Machine } from '../machine';

/** Klipper's print_stats while no job runs. */
export interface PrintStats {
  filename: string;
  total_duration: number;
  print_duration: number;
  filament_used: number;
  state: 'standby' | 'printing' | 'paused' | 'complete' | 'cancelled' | 'error';
  message: string;
  info: { total_layer: number | null; current_layer: number | null };
}

export type KlippyState = 'disconnected' | 'startup' | 'ready' | 'error' | 'shutdown';

export interface HistoryJob {
  job_id: string;
  filename: string;
  status:
    | 'in_progress'
    | 'completed'
    | 'cancelled'
    | 'error'
    | 'klippy_shutdown'
    | 'klippy_disconnect'
    | 'interrupted'
    | 'server_exit';
  start_time: number;
  end_time: number | null;
  print_duration: number;
  total_duration: number;
  filament_used: number;
  metadata: Record<string, unknown>;
}

export interface StoredFile extends FileDigest {
  /** Relative to the root "gcodes". */
  path: string;
  /** Unix seconds. */
  modified: number;
  metadata: Record<string, unknown>;
  printStartTime: number | null;
  jobId: string | null;
}

/** The host's state that survives a restart of the simulator. */
export interface MoonrakerState {
  klippy: KlippyState;
  klippyMessage: string;
  idleStats: PrintStats;
  displayMessage: string | null;
  jobs: HistoryJob[];
  nextJob: number | null;
  files: Record<string, StoredFile>;
  /** How many heads the configuration is made for: 1, 2 or 4. */
  heads: number;
  /** Moonraker's own job queue. */
  queue: { filename: string; job_id: string; time_added: number }[];
  /** Moonraker was restarted during the present print: its record is closed, and its end will not be recorded. */
  recordClosed: boolean;
  /** The address of pictures in the list of cameras; null: no camera is configured. */
  snapshotUrl: string | null;
}

/** Where the web server beside Moonraker serves what the camera sees. */
export const SNAPSHOT_PATH = '/webcam/';

export const READY_MESSAGE = 'Printer is ready';

export const SHUTDOWN_MESSAGE =
  'Shutdown due to webhooks request\nOnce the underlying issue is corrected, use the\n"FIRMWARE_RESTART" command to reset the firmware, reload the\nconfig, and restart the host software.\nPrinter is shutdown\n';

export function emptyStats(): PrintStats {
  return {
    filename: '',
    total_duration: 0,
    print_duration: 0,
    filament_used: 0,
    state: 'standby',
    message: '',
    info: { total_layer: null, current_layer: null },
  };
}

export function initialState(): MoonrakerState {
  return {
    klippy: 'ready',
    klippyMessage: READY_MESSAGE,
    idleStats: emptyStats(),
    displayMessage: null,
    jobs: [],
    nextJob: null,
    files: {},
    heads: 1,
    queue: [],
    recordClosed: false,
    snapshotUrl: `${SNAPSHOT_PATH}?action=snapshot`,
  };
}

/** The time of the printer's own clock (s since 1970). */
export function unixSeconds({ faults }: Machine<MoonrakerState>): number {
  const wrong = faults.take('clock_wrong');
  return Date.now() / 1000 + (wrong === undefined ? 0 : faultNumber(wrong, 'seconds', 3600));
}
