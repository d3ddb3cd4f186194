import { Delivery } from '../delivery';
import { Machine } from '../machine';
import { SimulatorRequestError } from '../request-error';
import { run } from '../running';
import type { RunningSimulator, SimulatedMake, SimulatorOptions } from '../simulator';
import { SwitchedServer } from '../switched-server';
import { Access } from './access';
import { extruderCount, extruderName, pickableExtruders } from './extruders';
import { GcodeStore } from './gcode-store';
import { History } from './history';
import { HttpFront } from './http-front';
import { Hub } from './hub';
import { Klipper, stagesOf } from './klipper';
import { methodsOf, type Services } from './methods';
import { printerObjects } from './printer-objects';
import { profileNamed } from './profiles';
import { initialState, SHUTDOWN_MESSAGE } from './state';

const FAULTS = [
  /** PAUSE answers ok and does nothing, as the stock macro may. */
  'pause_ignored',
  /** nginx answers a call that lasts longer than `seconds` (wall, default 60) with a 504 page; the call continues. */
  'proxy_504',
  /** The next upload arrives whole and is answered with nginx's 504 page. */
  'upload_504',
  /** The history is empty. */
  'history_lost',
  /** Klipper is in shutdown until a restart. */
  'klippy_shutdown',
  /** Klipper found a mistake in its configuration; until a restart. */
  'klippy_error',
  /** Klipper's program is gone until the fault is switched off. */
  'klippy_disconnected',
  /** Its clock is `seconds` (default 3600) off. */
  'clock_wrong',
];

const MOONRAKER_RESTART_MS = 1000;

const CONFIG_ERROR =
  'Section \'nonsense_section\' is not a valid config section\n\nOnce the underlying issue is corrected, use the "RESTART"\ncommand to reload the config and restart the host software.\nPrinter is halted\n';

/** An Elegoo OrangeStorm Giga, or any other printer with Klipper behind Moonraker. */
async function start(options: SimulatorOptions): Promise<RunningSimulator> {
  const profile = profileNamed(options.profile ?? 'legacy-giga');
  pickableExtruders(profile, options.extruders);
  const machine = new Machine(options, FAULTS, initialState());
  const files = new GcodeStore(machine, profile);
  const history = new History(machine, profile, files);
  const hub = new Hub(
    () => printerObjects(machine, profile),
    () => new Delivery(machine.faults),
  );
  const klipper = new Klipper(machine, profile, files, history, hub);
  const access = new Access(options.accessCode);
  const services: Services = { machine, profile, klipper, files, history, hub, access };
  const front = new HttpFront(services, methodsOf(services));

  machine.faults.onChange((name) => {
    const on = machine.faults.isOn(name);
    if (name === 'klippy_shutdown' && on) klipper.fail('shutdown', SHUTDOWN_MESSAGE);
    if (name === 'klippy_error' && on) klipper.fail('error', CONFIG_ERROR);
    if (name === 'klippy_disconnected') {
      if (on) klipper.fail('disconnected', 'Klippy Host not connected');
      else void klipper.reboot();
    }
  });

  const ignoreRefusal = (promise: Promise<unknown>): void => {
    promise.catch(() => {});
  };
  const server = new SwitchedServer(front.server);
  return run(machine, {
    make: 'moonraker',
    servers: { http: server },
    ready: options.accessCode === undefined ? {} : { access_code: options.accessCode },
    slots: () => Array.from({ length: extruderCount(machine) }, (_, tool) => extruderName(tool)),
    loaded: () => hub.flush(),
    startForeignJob(fileName, minutes) {
      if (machine.extra.klippy !== 'ready') throw new SimulatorRequestError('Klipper is not ready.');
      machine.engine.accept(machine.foreignJob(fileName, minutes, { stages: stagesOf, slot: extruderName(0) }));
    },
    cancelAtScreen: () => ignoreRefusal(klipper.cancel('screen')),
    pauseAtScreen: () => ignoreRefusal(klipper.pause()),
    resumeAtScreen: () => ignoreRefusal(klipper.resume()),
    reboot: () => klipper.reboot(),
    state: () => ({ profile: profile.name, klippy: machine.extra.klippy, files: Object.keys(machine.extra.files) }),
    actions: {
      /** Another configuration: {count: 1, 2 or 4} heads. */
      heads: (body) => {
        if (![1, 2, 4].includes(Number(body.count))) throw new SimulatorRequestError('There are 1, 2 or 4 heads.');
        machine.extra.heads = Number(body.count);
        klipper.restart();
      },
      /** Another camera: {snapshot_url} as in the list of cameras; null: none. */
      webcam: ({ snapshot_url: url }) => {
        if (typeof url !== 'string' && url !== null) throw new SimulatorRequestError('snapshot_url is a text or null.');
        machine.extra.snapshotUrl = url;
        machine.persist();
      },
      /** Moonraker is restarted; Klipper's print continues. */
      'moonraker-restart': () => {
        klipper.moonrakerStops();
        // The last notifications are still to arrive.
        setTimeout(() => {
          server.cut();
          setTimeout(() => server.restore(), MOONRAKER_RESTART_MS);
        }, 50);
      },
      /** After a power cut: the printer continues with `plr/<name>`, after a tap on its screen. */
      'power-loss-recovery': () => klipper.recoverFromPowerLoss(),
    },
    async close() {
      klipper.close();
      hub.close();
    },
  });
}

export const moonraker: SimulatedMake = {
  start,
  mainPort: { name: 'http', protocol: 'HTTP' },
  ports: [],
  profiles: 'legacy-giga (default), modern-giga, modern',
  options: `  --extruders N         moonraker, profile modern: how many extruders T0, T1 … pick from (default 1)`,
  // Without one every client is trusted.
  accessCode: 'API key',
};
