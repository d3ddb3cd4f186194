import { Delivery } from '../delivery';
import { faultNumber } from '../faults';
import { Machine } from '../machine';
import type { EngineChange } from '../print-engine';
import { SimulatorRequestError } from '../request-error';
import { run } from '../running';
import type { RunningSimulator, SimulatedMake, SimulatorOptions } from '../simulator';
import { SwitchedServer } from '../switched-server';
import { Announcement, createDetectServer } from './announcement';
import { PrinterBroker } from './broker';
import { loadIdentity } from './certificates';
import { Commands, internalAcknowledgement, stagesOf } from './commands';
import { createFtpServer } from './ftp-server';
import { bambuProfile, changesOf, inProfile } from './profiles';
import { CODE_LAG_SECONDS, externalSpool, fullReport, gcodeState, REASON_LAG_SECONDS } from './report';
import { amsUnit, amsUnits, slotNames } from './slots';
import { initialState } from './state';

const FAULTS = [
  /** Every print command is rejected with "mqtt message verify failed", `fun` bit 29 is set. */
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
  /** Data connections carry `bytes_per_second` (default 100000) at most. */
  'slow_link',
  /** The next print hangs while it prepares, without an error. */
  'prepare_hangs',
  /** Payloads end with a NUL, and names in them are no valid UTF-8. */
  'ragged_payloads',
  /** Only four clients at a time; more are cut off. */
  'client_limit',
  /** `home_flag` has its highest bit set, `fun` has 64 bits. */
  'wide_flags',
  /** Profile a1: the next report is followed by `seconds` (default 24) of silence. */
  'long_gaps',
];

/** The beginning of the serial numbers of an H2D. */
const SERIAL_PREFIX = '0948AB1';
const DEFAULT_ACCESS_CODE = '12345678';
const BOOT_SECONDS = 40;
const CANCEL_SECONDS = 1.4;

/**
 * A Bambu Lab H2D, or another model, in LAN-only mode with Developer Mode: MQTT over TLS, implicit FTPS onto the USB
 * stick.
 */
async function start(options: SimulatorOptions): Promise<RunningSimulator> {
  const profile = bambuProfile(options.profile ?? 'h2d');
  let accessCode = options.accessCode ?? DEFAULT_ACCESS_CODE;
  const machine = new Machine(options, FAULTS, initialState(amsUnits(options.ams ?? '0:right', profile)));
  const serial = options.serial ?? `${SERIAL_PREFIX}${machine.hardwareId.toUpperCase()}`;
  const identity = loadIdentity(options.dataDir, serial);
  const { engine, extra } = machine;
  let sequence = 0;
  let booting = false;

  let told: Record<string, unknown> = {};
  let quietUntil = 0;
  const frame = (): Record<string, unknown> =>
    inProfile(fullReport(machine, sequence, profile), profile, externalSpool(machine));
  const publish = (print: Record<string, unknown>): void => {
    const ragged = machine.faults.isOn('ragged_payloads');
    broker.publish({ print: ragged ? { ...print, subtask_name: `${print.subtask_name}\uD800` } : print }, ragged);
  };
  /** The full report, as sent on request. */
  const report = (): void => {
    if (booting) return;
    sequence += 1;
    told = frame();
    publish(told);
  };
  /** The unsolicited reports: everything, or the changes since the last one. */
  const reportByItself = (): void => {
    if (profile.frames !== 'changes') {
      report();
      return;
    }
    if (booting || Date.now() < quietUntil) return;
    sequence += 1;
    const now = frame();
    const changes = changesOf(told, now);
    told = now;
    if (changes === undefined) return;
    publish({ ...changes, command: 'push_status', msg: 1, sequence_id: String(sequence) });
    const gap = machine.faults.take('long_gaps');
    if (gap !== undefined) quietUntil = Date.now() + faultNumber(gap, 'seconds', 24) * 1000;
  };
  const commands = new Commands({
    machine,
    serial,
    profile,
    broker: () => broker,
    report,
    dropClients: () => mqttServer.dropAll(),
  });
  const broker = await PrinterBroker.create({
    identity,
    serial,
    accessCode: () => accessCode,
    request: (payload) => commands.handle(payload),
    guardsRequests: profile.guardsRequests,
    delivery: new Delivery(machine.faults),
    mostClients: () => (machine.faults.isOn('client_limit') ? 4 : Number.POSITIVE_INFINITY),
  });
  const mqttServer = new SwitchedServer(broker.server);
  const reporting = setInterval(reportByItself, profile.reportEveryMs);
  const followUps = new Set<NodeJS.Timeout>();

  const reportAfter = (printerSeconds: number): void => {
    const timer = setTimeout(() => {
      followUps.delete(timer);
      reportByItself();
    }, engine.wall(printerSeconds) + 5);
    followUps.add(timer);
  };
  engine.on('change', (change: EngineChange) => {
    if (change === 'stage' && engine.progress?.stage === 'parsing') {
      broker.publish(internalAcknowledgement(2023 + sequence));
    }
    if (change === 'paused' || change === 'resumed') extra.errorCleared = false;
    if (change === 'plate_cleared' || change === 'accepted') return;
    reportByItself();
    if (change === 'ended') {
      reportAfter(CODE_LAG_SECONDS);
      reportAfter(REASON_LAG_SECONDS);
    }
  });

  const announced = {
    host: machine.host,
    serial,
    model: profile.model,
    name: options.name ?? `3DP-${serial.slice(0, 3)}-${serial.slice(-3)}`,
    silent: () => booting || machine.faults.isOn('offline'),
  };
  const announcement = new Announcement(announced, options.ports?.ssdp);

  return run(machine, {
    make: 'bambu',
    servers: {
      mqtt: mqttServer,
      ftps: new SwitchedServer(createFtpServer(identity, () => accessCode, machine)),
      detect: new SwitchedServer(createDetectServer(announced)),
    },
    ready: { serial, access_code: accessCode, ca_file: identity.caFile },
    slots: () => slotNames(extra.units, profile),
    loaded: () => report(),
    startForeignJob(fileName, minutes) {
      const slot = slotNames(extra.units, profile).find((name) => machine.filamentIn(name) !== null) ?? 'ext-right';
      const job = machine.foreignJob(fileName, minutes, { stages: (facts) => stagesOf(facts), slot });
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
      files: Object.keys(extra.files),
    }),
    actions: {
      /** The end of the last job is tapped away: FINISH or FAILED becomes IDLE. */
      'screen/dismiss': () => {
        extra.dismissed = true;
        machine.persist();
        report();
      },
      /** A new access code, as generated at the screen; all connected clients are disconnected. */
      'screen/access-code': (body) => {
        if (typeof body.access_code !== 'string') throw new SimulatorRequestError('Say which: {"access_code": "…"}.');
        accessCode = body.access_code;
        mqttServer.dropAll();
      },
      /** All clients see the answer to another client's command. */
      'foreign-ack': (body) => {
        const command = typeof body.command === 'string' ? body.command : 'stop';
        const outcome = { result: 'SUCCESS', reason: 'SUCCESS', err_code: 0, is_from_mqtt: true };
        broker.publish({ print: { command, param: '', sequence_id: '325', ...outcome } });
      },
      /** Connects an AMS, or the other way: {unit: 0 to 3 or 128 to 135, extruder: 0 right, 1 left, drying_minutes}. */
      'ams/attach': (body) => {
        const dryingMinutes = Number(body.drying_minutes ?? 0);
        const unit = amsUnit({ id: Number(body.unit), extruder: body.extruder ?? 0, dryingMinutes }, profile);
        extra.units = [...extra.units.filter(({ id }) => id !== unit.id), unit].sort((a, b) => a.id - b.id);
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

export const bambu: SimulatedMake = {
  start,
  mainPort: { name: 'mqtt', protocol: 'MQTT' },
  ports: [
    { name: 'ftps', help: 'port of the FTPS server' },
    { name: 'detect', help: 'TCP port on which it says who it is' },
    { name: 'ssdp', help: 'UDP port that it announces itself to (default 2021)' },
  ],
  profiles: 'h2d (default), h2dpro, h2s, x2d, p2s, x1, x1e, p1p, p1s, a1, a1mini',
  options: `  --ams LIST            bambu: AMS units with the nozzle that each feeds (default 0:right), e.g. 0:right,1:left`,
  accessCode: 'LAN access code',
};
