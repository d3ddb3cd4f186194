import { type Controllable, ControlPort } from './control';
import { type Machine, requireSlot } from './machine';
import { SimulatorRequestError } from './request-error';
import type { ReadyLine, RunningSimulator } from './simulator';
import type { SwitchedServer } from './switched-server';

/** The make-specific part of a simulator. */
export interface MakeParts {
  make: string;
  /** The servers that are reached over the network, by the name of their port. */
  servers: Record<string, SwitchedServer>;
  /** Further ports that are open, for example UDP. */
  otherPorts?: Record<string, number>;
  ready: Partial<Pick<ReadyLine, 'serial' | 'access_code' | 'ca_file'>>;
  /** The places for filament that the printer has now. */
  slots(): string[];
  /** Called after a filament has been loaded into a slot, or removed. */
  loaded(slot: string): void;
  startForeignJob(fileName: string, minutes: number): void;
  cancelAtScreen(): void;
  pauseAtScreen(): void;
  resumeAtScreen(): void;
  /** Called when the power is gone and connections are cut; resolves when the printer has booted. */
  reboot(): Promise<void>;
  /** Shown beside the common part of the state. */
  state(): Record<string, unknown>;
  actions?: Record<string, (body: Record<string, unknown>) => void>;
  close(): Promise<void>;
}

/** Opens the servers and the control port of a make and hands out the running simulator. */
export async function run<Extra>(machine: Machine<Extra>, parts: MakeParts): Promise<RunningSimulator> {
  machine.loadFirst(parts.slots());
  const ports: Record<string, number> = { ...parts.otherPorts };
  for (const [name, server] of Object.entries(parts.servers)) {
    const { wanted, last } = machine.portChoice(name);
    ports[name] = await server.listen(machine.host, wanted, last);
    machine.rememberPort(name, ports[name]);
  }
  const everyServer = Object.values(parts.servers);
  let closing: Promise<void> | undefined;

  const controllable: Controllable = {
    clearPlate() {
      if (machine.engine.run !== null) throw new SimulatorRequestError('The printer is printing.');
      machine.engine.clearPlate();
    },
    load(slot, filament) {
      requireSlot(slot, parts.slots());
      machine.load(slot, filament);
      parts.loaded(slot);
    },
    startForeignJob: (fileName, minutes) => parts.startForeignJob(fileName, minutes),
    cancelAtScreen: () => parts.cancelAtScreen(),
    pauseAtScreen: () => parts.pauseAtScreen(),
    resumeAtScreen: () => parts.resumeAtScreen(),
    async powerCycle() {
      for (const server of everyServer) server.cut();
      machine.engine.stop('stopped', 'power_loss');
      await parts.reboot();
      if (!machine.faults.isOn('offline')) for (const server of everyServer) server.restore();
    },
    async setFault(name, setting) {
      machine.faults.set(name, setting);
      if (name !== 'offline') return;
      for (const server of everyServer) {
        if (machine.faults.isOn('offline')) server.cut();
        else server.restore();
      }
    },
    state: () => ({
      plate: machine.engine.plate,
      slots: Object.fromEntries(parts.slots().map((slot) => [slot, machine.filamentIn(slot)])),
      printing: machine.engine.run?.job.fileName ?? null,
      paused: machine.engine.run?.paused?.cause ?? null,
      stage: machine.engine.run === null ? null : (machine.engine.progress?.stage ?? null),
      fraction: machine.engine.run === null ? null : (machine.engine.progress?.fraction ?? null),
      remaining_minutes:
        machine.engine.run === null ? null : Math.ceil((machine.engine.progress?.remainingSeconds ?? 0) / 60),
      last:
        machine.engine.last === null
          ? null
          : {
              file_name: machine.engine.last.job.fileName,
              outcome: machine.engine.last.outcome,
              reason: machine.engine.last.reason,
            },
      faults: machine.faults.toJSON(),
      known_faults: machine.faults.known,
      ...parts.state(),
    }),
    actions: parts.actions ?? {},
  };

  const control = new ControlPort(controllable);
  const { wanted, last } = machine.portChoice('control');
  ports.control = await control.listen(wanted, last);
  machine.rememberPort('control', ports.control);
  machine.engine.begin();

  return {
    ...controllable,
    ready: { ready: true, make: parts.make, host: machine.host, ports, ...parts.ready, truth_log: machine.truth.path },
    close() {
      closing ??= (async () => {
        machine.engine.halt();
        await parts.close();
        await Promise.all([...everyServer.map((server) => server.close()), control.close()]);
        machine.close();
      })();
      return closing;
    },
  };
}
