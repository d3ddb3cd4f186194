import { Machine } from '../machine';
import type { EngineChange } from '../print-engine';
import { run } from '../running';
import { type RunningSimulator, type SimulatorOptions, SimulatorRequestError } from '../simulator';
import { SwitchedServer } from '../switched-server';
import { Announcement, createDetectServer } from './announcement';
import { PrinterBroker } from './broker';
import { loadIdentity } from './certificates';
import { Commands, internalAcknowledgement, stagesOf } from './commands';
import { createFtpServer } from './ftp-server';
import { CODE_LAG_SECONDS, fullReport, gcodeState, REASON_LAG_SECONDS } from './report';
import { initialState, type Tray } from './state';

const FAULTS = [
  /** Every print command is refused with "mqtt message verify failed", `fun` bit 29 is set. */
  'developer_mode_off',
  /** Reports flow, commands are not heard. */
  'zombie',
  /** The next print pauses before its first layer: wrong plate type (0500_8051). */
  'plate_check',
  /** The next print fails at its first filament load: AMS mapping table. */
  'mapping_error',
  /** The next upload is answered with 226 only after `seconds` (default 30). */
  'slow_226',
  /** PASV answers with 0.0.0.0. */
  'pasv_zero',
];

const DEFAULT_SERIAL = '0948AB123456789';
const DEFAULT_ACCESS_CODE = '12345678';
/** Full frames at this pace, as recorded from an H2D (sheet, section 1.4). Wall time. */
const REPORT_EVERY_MS = 1500;
const BOOT_SECONDS = 40;
const CANCEL_SECONDS = 1.4;

/** A Bambu Lab H2D in LAN-only mode with Developer Mode: MQTT over TLS, implicit FTPS onto the USB stick. */
export async function startBambu(options: SimulatorOptions): Promise<RunningSimulator> {
  const profile = options.profile ?? 'h2d';
  if (profile !== 'h2d') throw new SimulatorRequestError(`There is no Bambu profile "${profile}": h2d.`);
  const serial = options.serial ?? DEFAULT_SERIAL;
  const accessCode = options.accessCode ?? DEFAULT_ACCESS_CODE;
  const machine = new Machine(options, FAULTS, initialState());
  const identity = loadIdentity(options.dataDir, serial);
  const { engine, extra } = machine;
  let sequence = 0;
  let booting = false;

  const report = (): void => {
    if (booting) return;
    sequence += 1;
    broker.publish({ print: fullReport(machine, sequence) });
  };
  const commands = new Commands({
    machine,
    serial,
    broker: () => broker,
    report,
    dropClients: () => mqttServer.dropAll(),
  });
  const broker = await PrinterBroker.create({
    identity,
    serial,
    accessCode,
    request: (payload) => commands.handle(payload),
  });
  const mqttServer = new SwitchedServer(broker.server);
  const reporting = setInterval(report, REPORT_EVERY_MS);
  const followUps = new Set<NodeJS.Timeout>();

  const reportAfter = (printerSeconds: number): void => {
    const timer = setTimeout(() => {
      followUps.delete(timer);
      report();
    }, engine.wall(printerSeconds) + 5);
    followUps.add(timer);
  };
  engine.on('change', (change: EngineChange) => {
    if (change === 'stage' && engine.progress?.stage === 'parsing') {
      broker.publish(internalAcknowledgement(2023 + sequence));
    }
    if (change === 'paused' || change === 'resumed') extra.errorCleared = false;
    if (change === 'plate_cleared' || change === 'accepted') return;
    report();
    if (change === 'ended') {
      reportAfter(CODE_LAG_SECONDS);
      reportAfter(REASON_LAG_SECONDS);
    }
  });

  const announced = {
    host: machine.host,
    serial,
    name: options.name ?? `3DP-${serial.slice(0, 3)}-${serial.slice(-3)}`,
    silent: () => booting || machine.faults.isOn('offline'),
  };
  const announcement = new Announcement(announced, options.ports?.ssdp);

  return run(machine, {
    make: 'bambu',
    servers: {
      mqtt: mqttServer,
      ftps: new SwitchedServer(createFtpServer(identity, accessCode, machine)),
      detect: new SwitchedServer(createDetectServer(announced)),
    },
    ready: { serial, access_code: accessCode, ca_file: identity.caFile },
    startForeignJob(fileName, minutes) {
      const job = machine.foreignJob(fileName, minutes, (facts) => stagesOf(facts));
      extra.dismissed = false;
      extra.errorCleared = false;
      extra.inventedTask += 1;
      const task = String(extra.inventedTask);
      const name = fileName.replace(/(\.gcode)?\.3mf$|\.gcode$/, '');
      engine.accept({
        ...job,
        identity: { task_id: task, subtask_id: task, project_id: task, subtask_name: name },
      });
    },
    cancelAtScreen() {
      engine.stop('stopped', 'screen', CANCEL_SECONDS);
    },
    pauseAtScreen() {
      engine.pause('user');
    },
    resumeAtScreen() {
      engine.resume();
    },
    async reboot() {
      booting = true;
      extra.dismissed = true;
      engine.forgetLast();
      await new Promise((resolve) => setTimeout(resolve, Math.max(100, engine.wall(BOOT_SECONDS))));
      booting = false;
    },
    state: () => ({
      gcode_state: gcodeState(machine),
      mqtt_clients: broker.clients,
      trays: extra.trays,
      files: Object.keys(extra.files),
    }),
    actions: {
      /** The end of the last job is tapped away: FINISH or FAILED becomes IDLE. */
      'screen/dismiss': () => {
        extra.dismissed = true;
        machine.persist();
        report();
      },
      /** Puts a filament into a tray ("0" to "3") or on an external spool ("254" left, "255" right). */
      'filament/load': (body) => {
        loadFilament(extra, body);
        machine.persist();
        report();
      },
    },
    async close() {
      clearInterval(reporting);
      for (const timer of followUps) clearTimeout(timer);
      await announcement.close();
      await broker.close();
    },
  });
}

function loadFilament(extra: { trays: Tray[]; external: [Tray, Tray] }, body: Record<string, unknown>): void {
  const slot = String(body.slot);
  const tray: Tray = {
    material: typeof body.material === 'string' ? body.material : '',
    color: typeof body.color === 'string' ? body.color : '000000FF',
    remain: typeof body.remain === 'number' ? body.remain : 100,
  };
  if (slot === '254') extra.external[0] = tray;
  else if (slot === '255') extra.external[1] = tray;
  else if (extra.trays[Number(slot)] !== undefined) extra.trays[Number(slot)] = tray;
  else throw new SimulatorRequestError(`There is no slot "${slot}": 0 to 3, 254, 255.`);
}
