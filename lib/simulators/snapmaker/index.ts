import { createServer } from 'node:net';
import { Delivery } from '../delivery';
import { Machine } from '../machine';
import { toolAt } from '../print-run';
import { SimulatorRequestError } from '../request-error';
import { run } from '../running';
import type { RunningSimulator, SimulatedMake, SimulatorOptions } from '../simulator';
import { SwitchedServer } from '../switched-server';
import { Controller, md5OfName } from './controller';
import { Discovery } from './discovery';
import { STOPPING_SECONDS, systemStatus } from './machine-status';
import { Screen, stagesOf } from './screen';
import { Session } from './session';
import { initialState } from './state';
import { NOZZLES, nozzleName } from './tools';

const FAULTS = [
  /** New tokens wait for a tap: POST /screen/approve or /screen/refuse. */
  'ask_approval',
  /** Also known tokens wait for a tap. */
  'verify_every_time',
  /** The next hello is refused. */
  'refuse_pairing',
  /** Remote connections are disabled in the settings. */
  'remote_disabled',
  /** No dual extruder head is mounted. */
  'no_tool_head',
  /** After a run-out: the filament has not been refilled, resume is refused with 222. Switched on by a run-out. */
  'filament_empty',
  /** ac/01 after the end of a job does not arrive. */
  'issue_lost',
  /**
   * The next print pauses at the fraction `at` (default 0.5): the enclosure is opened. Resuming is refused with 227.
   */
  'door_opens',
  /** After that: the door is still open. Switched on by an opened door. */
  'door_open',
  /** The next print pauses at the fraction `at` (default 0.5): the screen lost the controller (ac/01 7). */
  'feed_lost',
  /** The next print pauses at the fraction `at` (default 0.5): M600 in the file (ac/01 1). */
  'file_pause',
  /** The controller gives up the next start while it homes; the screen answers 0 nevertheless. */
  'start_refused',
  /** A push of the last session arrives before the answer to the hello. */
  'stale_frame',
  /** Heartbeats have two bytes, as old firmware sends them. */
  'short_heartbeats',
];

const SERIAL_PREFIX = 'SA4000000000';
const BOOT_SECONDS = 30;
const USUAL_DISCOVERY_PORT = 20_054;

/** A Snapmaker Artisan: SACP over TCP, and UDP discovery. */
async function start(options: SimulatorOptions): Promise<RunningSimulator> {
  const profile = options.profile ?? 'artisan';
  if (profile !== 'artisan') throw new SimulatorRequestError(`There is no Snapmaker profile "${profile}": artisan.`);
  const machine = new Machine(options, FAULTS, initialState());
  const serial = options.serial ?? `${SERIAL_PREFIX}${machine.hardwareId.toUpperCase()}`;
  const controller = new Controller(machine, serial);
  const screen = new Screen(machine, controller);
  // Half-open connections stay: the screen does not notice a plain FIN.
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    new Session(socket, new Delivery(machine.faults), {
      frame: (session, frame) => screen.handle(session, frame),
      closed: (session) => screen.closed(session),
    });
  });
  let booting = false;
  const discovery = new Discovery(
    options.name ?? 'Snapmaker Artisan',
    () => (machine.host === '0.0.0.0' ? '' : machine.host),
    () => booting || machine.faults.isOn('offline'),
  );
  const { wanted, last } = machine.portChoice('discovery');
  const discoveryPort = await discovery.listen(machine.host, wanted, last === 0 ? USUAL_DISCOVERY_PORT : last);
  machine.rememberPort('discovery', discoveryPort);

  return run(machine, {
    make: 'snapmaker',
    servers: { sacp: new SwitchedServer(server) },
    otherPorts: { discovery: discoveryPort },
    ready: { serial },
    slots: () => NOZZLES.map(nozzleName),
    loaded(slot) {
      // The machine waits for the nozzle that it extrudes with.
      const { run, progress } = machine.engine;
      const awaited = run === null ? undefined : nozzleName(toolAt(run.job, progress?.fraction ?? 0));
      if (machine.filamentIn(slot) !== null && (awaited ?? slot) === slot) {
        machine.faults.set('filament_empty', { on: false });
      }
    },
    startForeignJob(fileName, minutes) {
      const job = machine.foreignJob(fileName, minutes, { stages: stagesOf, slot: nozzleName(0) });
      machine.engine.accept({ ...job, identity: { ...job.identity, md5: md5OfName(fileName) } });
    },
    cancelAtScreen() {
      machine.engine.stop('stopped', 'screen', STOPPING_SECONDS);
    },
    pauseAtScreen() {
      machine.engine.pause('screen');
    },
    resumeAtScreen() {
      machine.engine.resume();
    },
    async reboot() {
      booting = true;
      const cutOff = machine.engine.last;
      if (cutOff?.reason === 'power_loss' && cutOff.startedAt !== null)
        machine.extra.interrupted = machine.extra.lastJob;
      machine.extra.lastJob = null;
      machine.extra.lastLine = 0;
      machine.extra.lastSeconds = 0;
      machine.extra.emergencyStopped = false;
      machine.persist();
      await new Promise((resolve) => setTimeout(resolve, Math.max(100, machine.engine.wall(BOOT_SECONDS))));
      booting = false;
    },
    state: () => ({
      status: systemStatus(machine),
      connected: screen.connected,
      asking_approval: screen.asking,
      files: Object.keys(machine.extra.files),
    }),
    actions: {
      'screen/approve': () => screen.approve(),
      'screen/refuse': () => screen.refuse(),
      'screen/disconnect': () => screen.disconnect(),
      'emergency-stop': () => controller.emergencyStop(),
    },
    async close() {
      controller.unsubscribeAll();
      await discovery.close();
    },
  });
}

export const snapmaker: SimulatedMake = {
  start,
  mainPort: { name: 'sacp', protocol: 'SACP' },
  ports: [{ name: 'discovery', help: 'UDP port of the discovery (default 20054 if it is free)' }],
};
