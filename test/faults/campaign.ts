import { randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client, type ClientConfig } from 'pg';
import type { PrivateRabbitMq } from '../support/private-rabbitmq';
import { freePort } from '../support/servers';
import { Wire } from '../support/wire';
import { actOnQueue, closeConnections } from './administrator';
import { type Evidence, type Judgement, judge, wrongFilePrefix } from './checker';
import { DatabaseClock } from './database-clock';
import { FarmApi, formOf } from './farm-api';
import { FarmFloor, type Simulated } from './farm-floor';
import { fenceGuard } from './fence-guard';
import { type Injection, injections, type Kind, type Pair } from './injections';
import { type ModelFile, type WrongFile, type WrongKind, writePrintFiles, writeWrongFiles } from './model-files';
import { Operator, sameFile } from './operator';
import { poison, publishPoison } from './poison';
import { PrinterWires } from './printer-wires';
import { Random } from './random';
import { ask, connectionTo, killPostgres, PrivatePostgres, privateBroker, setReadOnly } from './servers';
import { SmallDisk } from './small-disk';
import { StatusListener } from './status-listener';
import { copyPackage, NodeRed, secrets } from './system';

export interface CampaignOptions {
  seed: number;
  pair: Pair;
  /** How long faults are injected (minutes); shorter if `jobs` or `faults` is reached first. */
  minutes: number;
  jobs?: number;
  faults?: number;
  printers: number;
  speed: number;
  /** The mean time between two faults (ms). */
  meanPause: number;
  only?: Kind[];
  /** Instead of faults: the broker is down for this long (minutes) while `jobs` are submitted. */
  brokerAwayMinutes?: number;
  /** The limit after the last fault for everything to settle (minutes). */
  settleMinutes?: number;
  /** The built package under test. */
  packageRoot: string;
  /** The built package that is installed first, and upgraded to the one under test while jobs are under way. */
  upgradeFrom?: string;
  /** The directory for everything that the campaign writes. */
  directory: string;
  print(line: string): void;
}

export interface CampaignResult extends Judgement {
  faults: number;
  /** How often the system under test exited by itself. */
  crashes: number;
  by_kind: Partial<Record<Kind, number>>;
}

const settleMinutes = 5;
/** How long the earlier version runs before it is upgraded (ms). */
const beforeUpgrade = 60_000;
/** How long an agent holds an attempt without renewing it. */
const leaseSeconds = 6;
/** The minimum duration of a foreign print (s): no print begins and ends while a start is on its way. */
const foreignSeconds = 7;
/** The number of concurrent submissions. */
const submitters = 5;
/** The maximum time between an intent and its start. Short, so that questions to the operator can be answered soon. */
const startCommandSeconds = 15;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** One run: the system under test in separate processes, jobs, faults drawn from the seed, and the judgement. */
export class Campaign {
  readonly #options: CampaignOptions;
  readonly #floor = new FarmFloor();
  readonly #wires = new PrinterWires();
  readonly #nodeReds: NodeRed[] = [];
  readonly #injected: Partial<Record<Kind, number>> = {};
  /** Ids of jobs that were answered with 201, with the time of the answer (ms since 1970). */
  readonly #accepted = new Map<string, number>();
  /** Jobs whose event numbers start over: they were in the database when a backup was restored. */
  readonly #countedAnew = new Set<string>();
  readonly #cancelled = new Map<string, number>();
  readonly #ends: (() => Promise<void> | void)[] = [];
  /** Work on faults that is still running, such as undoing one. */
  readonly #pending = new Set<Promise<void>>();
  #api = new FarmApi([]);
  #operator = new Operator(this.#api, this.#floor);
  #listener: StatusListener | undefined;
  #rabbit: PrivateRabbitMq | undefined;
  #postgres: PrivatePostgres | undefined;
  #databaseProxies: Wire[] = [];
  #brokerProxies: Wire[] = [];
  /** Printers where a foreign print used a file that is printed there again. */
  readonly #printedAgain = new Set<string>();
  #databaseDirectory = '';
  #databaseDisk: SmallDisk | undefined;
  #databaseClock: DatabaseClock | undefined;
  #files: (ModelFile & { stlPath: string })[] = [];
  #wrongFiles: Record<WrongKind, WrongFile[]> | undefined;
  #stranded: string[] = [];
  #serverBusy = false;
  #packageRoot = '';
  /** Killed, and not to be restarted yet. */
  readonly #resting = new Set<NodeRed>();
  #faults = 0;
  /** Backups that the program itself could not restore. */
  readonly #refusedRestores: string[] = [];
  /** The time from the broker's return until the last printer got its job (s). */
  secondsToDispatch: number | undefined;
  #over = false;

  constructor(options: CampaignOptions) {
    this.#options = options;
  }

  async run(): Promise<CampaignResult> {
    try {
      await this.#open();
      if (this.#options.brokerAwayMinutes === undefined) await this.#injectFaults();
      else await this.#sendBrokerAway(this.#options.brokerAwayMinutes);
      this.#over = true;
      await this.#settle();
      const evidence = await this.#evidence();
      writeFileSync(join(this.#options.directory, 'evidence.json'), JSON.stringify(evidence, mapsAsLists, 1));
      const judgement = judge(evidence, this.#floor);
      const crashes = this.#nodeReds.flatMap((process) => process.crashes);
      return {
        ...judgement,
        crashes: crashes.length,
        findings: [...judgement.findings, ...crashes, ...this.#refusedRestores],
        faults: this.#faults,
        by_kind: this.#injected,
      };
    } finally {
      this.#over = true;
      await this.#close();
    }
  }

  // ---- opening and closing ------------------------------------------------------------------------------------

  async #open(): Promise<void> {
    const { directory, pair, speed, printers } = this.#options;
    mkdirSync(directory, { recursive: true });
    const packageRoot = copyPackage(this.#options.packageRoot, join(directory, 'package'));
    this.#packageRoot = packageRoot;
    const { upgradeFrom } = this.#options;
    const installed = upgradeFrom ? copyPackage(upgradeFrom, join(directory, 'earlier')) : packageRoot;
    await this.#floor.open(packageRoot, join(directory, 'printers'), speed, printers);
    this.#ends.push(() => this.#floor.close());
    const reached = await this.#wires.open(this.#floor.printers);
    this.#ends.push(() => this.#wires.close());
    const data = join(directory, 'data');
    const common = {
      PLATEWISE_DATA: data,
      ATTEMPT_LEASE_SECONDS: String(leaseSeconds),
      START_COMMAND_SECONDS: String(startCommandSeconds),
      LOOK_FOR_JOB_SECONDS: '8',
      DISPATCH_RESEND_SECONDS: '5',
      ...secrets(reached),
    };
    const environments = pair === 'embedded' ? [() => common] : await this.#openServers(common);
    if (pair === 'embedded') this.#mountDatabase(join(data, 'postgres'));
    // One of two processes must print the files that the other accepted, whether they share a disk or not.
    const apart = pair === 'rabbitmq' && this.#options.seed % 2 === 1;
    for (const [index, environment] of environments.entries()) {
      const nodeRed = new NodeRed({
        name: `node-red-${index + 1}`,
        directory,
        packageRoot: installed,
        port: await freePort(),
        printers: reached,
        speed,
        environment: (start) => ({
          ...environment(start),
          ...(apart && { PLATEWISE_DATA: `${data}-${index + 1}` }),
        }),
      });
      this.#nodeReds.push(nodeRed);
      this.#ends.push(() => nodeRed.end('SIGTERM'));
      nodeRed.start();
    }
    this.#api = new FarmApi(this.#nodeReds);
    this.#operator = new Operator(this.#api, this.#floor);
    await this.#api.untilOnline(this.#floor.printers);
    await ask(this.#connection, fenceGuard(leaseSeconds));
    await this.#api.bookFilament(this.#floor.printers);
    for (const file of await writePrintFiles(directory)) {
      this.#files.push({ ...file, stlPath: await this.#api.upload(file.path) });
    }
    this.#wrongFiles = await writeWrongFiles(directory);
    this.#operator.start();
    this.#ends.push(() => this.#operator.stop());
    // Acts like the operating system's service manager: restarts whatever ended.
    const service = setInterval(() => {
      for (const process of this.#nodeReds) if (!process.running && !this.#resting.has(process)) process.start();
    }, 2000);
    this.#ends.push(() => clearInterval(service));
  }

  #mountDatabase(directory: string): void {
    this.#databaseDirectory = directory;
    const disk = SmallDisk.mount(directory);
    this.#databaseDisk = disk;
    if (disk) this.#ends.push(() => disk.unmount());
    else
      this.#options.print('The disk of the database is never full here: that needs root and a file system of its own.');
  }

  async #openServers(common: Record<string, string>): Promise<((start: number) => Record<string, string>)[]> {
    const { directory } = this.#options;
    const rabbit = await privateBroker(join(directory, 'rabbitmq'));
    this.#rabbit = rabbit;
    this.#ends.push(() => rabbit.close());
    await rabbit.start();
    this.#mountDatabase(join(directory, 'postgres'));
    this.#databaseClock = DatabaseClock.in(directory);
    if (!this.#databaseClock)
      this.#options.print('Skipping database clock faults: libfaketime is not installed (apt install faketime).');
    const postgres = await new PrivatePostgres(this.#databaseDirectory, this.#databaseClock?.variables).start();
    this.#postgres = postgres;
    this.#ends.push(() => postgres.stop());
    const listener = new StatusListener();
    this.#listener = listener;
    await listener.start(rabbit.url);
    this.#ends.push(() => listener.stop());
    const connection = this.#connection();
    const socket = { path: join(String(connection.host), `.s.PGSQL.${connection.port}`) };
    const environments = [];
    for (let process = 0; process < 2; process++) {
      const database = await new Wire(socket).listen();
      const broker = await new Wire({ port: rabbit.port, host: '127.0.0.1' }).listen();
      this.#databaseProxies.push(database);
      this.#brokerProxies.push(broker);
      this.#ends.push(() => database.close());
      this.#ends.push(() => broker.close());
      // Each start has its own name in the database, by which the fence guard identifies the writer.
      const url = `postgres://platewise@127.0.0.1:${database.port}/postgres?sslmode=disable`;
      environments.push((start: number) => ({
        ...common,
        DATABASE_URL: `${url}&application_name=platewise-${process}-${start}`,
        AMQP_URL: `amqp://guest:guest@127.0.0.1:${broker.port}`,
      }));
    }
    return environments;
  }

  async #close(): Promise<void> {
    await Promise.allSettled([...this.#pending]);
    for (const end of this.#ends.reverse()) {
      try {
        await end();
      } catch (error) {
        this.#options.print(`closing: ${String(error)}`);
      }
    }
  }

  readonly #connection = (): ClientConfig => connectionTo(this.#databaseDirectory);

  // ---- jobs ---------------------------------------------------------------------------------------------------

  /** Keeps enough jobs waiting that no printer is idle. An unanswered request delays only itself. */
  async #submitJobs(random: Random): Promise<void> {
    const count = { submitted: 0 };
    await Promise.all(Array.from({ length: submitters }, () => this.#submitter(random, count)));
  }

  async #submitter(random: Random, count: { submitted: number }): Promise<void> {
    while (!this.#over && count.submitted < (this.#options.jobs ?? Number.POSITIVE_INFINITY)) {
      const { status, body } = await this.#api.call('GET', '/queue?limit=1', { limit: 10_000 });
      if (status !== 200 || Number(body['total_jobs']) >= this.#options.printers * 2.5) {
        await pause(200);
        continue;
      }
      if (count.submitted >= (this.#options.jobs ?? Number.POSITIVE_INFINITY)) return;
      const drawn = this.#draw(Random.pick(this.#floor.printers, random.next()), random);
      if (!drawn) throw new Error('No file fits the printers.');
      const job = {
        ...drawn.job,
        job_name: `${drawn.file.name} ${++count.submitted}`,
        priority: random.whole(1, 10),
        copies: random.next() < 0.15 && this.#options.faults !== 0 ? 2 : 1,
        max_retries: 3,
        ...(random.next() < 0.2 && { force_printer: drawn.printer.id }),
      };
      const answer = await this.#api.call('POST', '/jobs', { body: job });
      if (answer.status === 201) this.#accepted.set(String(answer.body['job_id']), Date.now());
      // A freshly started Node-RED answers 404 until its flows run.
      else if (answer.body['code'] !== undefined && answer.status < 500) {
        throw new Error(`A job was refused: ${JSON.stringify(answer.body)}`);
      }
    }
  }

  /** A job for a slot of a printer, with a file that can be printed from it. */
  #draw(printer: Simulated | undefined, random: Random) {
    const slot = Random.pick(printer?.slots ?? [], random.next());
    const file = Random.pick(
      this.#files.filter(({ fits }) => printer && slot && fits(printer.make, slot)),
      random.next(),
    );
    if (!printer || !slot || !file) return undefined;
    const job = { stl_path: file.stlPath, material_id: slot.material, accept_unknown_machine: true };
    return { printer, file, job };
  }

  // ---- faults -------------------------------------------------------------------------------------------------

  async #injectFaults(): Promise<void> {
    const { seed, pair, minutes, meanPause, only } = this.#options;
    const submitting = this.#submitJobs(new Random(seed ^ 0x5eed));
    let failed: unknown;
    submitting.catch((error: unknown) => {
      failed = error;
    });
    if (this.#options.upgradeFrom) await this.#upgrade();
    const end = performance.now() + minutes * 60_000;
    for (const injection of injections(seed, pair, { meanPause, ...(only && { only }) })) {
      await pause(injection.pause);
      if (failed) throw failed;
      if (performance.now() > end || this.#faults >= (this.#options.faults ?? Number.POSITIVE_INFINITY)) break;
      const work = this.#inject(injection)
        .then((done) => {
          if (!done) return;
          this.#faults++;
          this.#injected[injection.kind] = (this.#injected[injection.kind] ?? 0) + 1;
        })
        .catch((error: unknown) => this.#options.print(`fault ${injection.kind}: ${String(error)}`));
      this.#pending.add(work);
      void work.finally(() => this.#pending.delete(work));
      // Faults overlap, but only a few at a time.
      if (this.#pending.size > 4) await Promise.race(this.#pending);
    }
    if (this.#options.jobs === undefined) this.#over = true;
    await submitting;
  }

  /** Replaces the earlier version with the one under test, flows included, while jobs are under way. */
  async #upgrade(): Promise<void> {
    await pause(beforeUpgrade);
    for (const process of this.#nodeReds) {
      this.#resting.add(process);
      await process.end('SIGTERM');
      process.install(this.#packageRoot);
      process.start();
      this.#resting.delete(process);
    }
    this.#options.print(`Upgraded after ${this.#accepted.size} jobs`);
  }

  /** Jobs are submitted while the broker is down; after its return every printer must get its next one soon. */
  async #sendBrokerAway(minutes: number): Promise<void> {
    await this.#rabbit?.stop();
    const away = performance.now();
    const random = new Random(this.#options.seed);
    for (let number = 1; number <= (this.#options.jobs ?? 200); number++) {
      const drawn = this.#draw(this.#floor.printers[number % this.#floor.printers.length], random);
      const job = { ...drawn?.job, job_name: `${drawn?.file.name} ${number}` };
      this.#accepted.set(String((await this.#api.insist('POST', '/jobs', job))['job_id']), Date.now());
    }
    this.#options.print(`${this.#accepted.size} jobs were accepted while the broker was away`);
    await pause(Math.max(0, minutes * 60_000 - (performance.now() - away)));
    await this.#rabbit?.start();
    const back = performance.now();
    this.#faults = 1;
    for (;;) {
      const rows = await ask<{ printer_id: string }>(
        this.#connection,
        `SELECT DISTINCT printer_id FROM print_attempts WHERE claimed_at IS NOT NULL`,
      );
      if (rows.length === this.#floor.printers.length) break;
      if (performance.now() - back > settleMinutes * 60_000) throw new Error(`Only ${rows.length} printers got a job.`);
      await pause(250);
    }
    this.secondsToDispatch = (performance.now() - back) / 1000;
    this.#options.print(
      `every printer had its next job ${this.secondsToDispatch.toFixed(1)} s after the broker's return`,
    );
  }

  /** Injects a fault, and undoes it after its time. False if it had no target. */
  async #inject(injection: Injection): Promise<boolean> {
    const { kind, target, duration, amount, moment } = injection;
    const process = Random.pick(this.#nodeReds, target);
    const printer = Random.pick(this.#floor.printers, target);
    const database = Random.pick(this.#databaseProxies, target);
    const broker = Random.pick(this.#brokerProxies, target);
    if (!process || !printer) return false;
    switch (kind) {
      case 'kill_node_red':
        if (!process.running) return false;
        this.#resting.add(process);
        await process.end('SIGKILL');
        await pause(duration * 1500);
        this.#resting.delete(process);
        process.start();
        return true;
      case 'kill_at_moment':
      case 'freeze_at_moment': {
        if (!process.running) return false;
        const starts = process.starts;
        process.tell({
          arm: {
            moment,
            nth: 1 + Math.floor(amount * 3),
            freeze: kind === 'kill_at_moment' ? 0 : 500 + duration * 12_000,
          },
        });
        // It happens when that moment comes; if that takes too long, it did not happen.
        const until = performance.now() + 15_000;
        const alive = (): boolean => process.running && process.starts === starts;
        while (kind === 'kill_at_moment' && alive() && performance.now() < until) await pause(100);
        if (kind === 'freeze_at_moment') {
          await pause(3000);
          return true;
        }
        return !alive();
      }
      case 'freeze':
      case 'long_freeze':
        if (!process.running) return false;
        process.signal('SIGSTOP');
        await pause(kind === 'freeze' ? 500 + duration * 12_000 : 15_000 + duration * 105_000);
        process.signal('SIGCONT');
        return true;
      case 'clock_jump':
        process.tell({ clock: (amount - 0.5) * 2 * 3_600_000 });
        await pause(duration * 20_000);
        process.tell({ clock: 0 });
        return true;
      case 'broker_restart':
      case 'broker_kill':
        return this.#alone(async () => {
          await this.#rabbit?.stop(kind === 'broker_kill' ? 'SIGKILL' : 'SIGTERM');
          await pause(duration * 4000);
          await this.#rabbit?.start();
        });
      case 'database_restart':
        return this.#alone(async () => {
          await this.#postgres?.stop();
          await pause(duration * 4000);
          await this.#postgres?.start();
        });
      case 'database_kill':
        return this.#alone(async () => {
          killPostgres(this.#databaseDirectory);
          await pause(2000);
        });
      case 'disk_full':
        if (!this.#databaseDisk) return false;
        return this.#alone(async () => {
          this.#databaseDisk?.fill();
          await pause(500 + duration * 8000);
          this.#databaseDisk?.free();
        });
      case 'broker_cut':
        broker?.cut();
        return true;
      case 'database_cut':
        database?.cut();
        return true;
      case 'broker_silence':
      case 'database_silence': {
        const proxy = kind === 'broker_silence' ? broker : database;
        proxy?.silence(amount < 0.4 ? 'down' : amount < 0.6 ? 'up' : 'both');
        await pause(500 + duration * 20_000);
        // The network comes back, but the earlier connections do not.
        proxy?.cut();
        proxy?.pass();
        return true;
      }
      case 'database_session_killed': {
        const rows = await ask<{ killed: boolean }>(
          this.#connection,
          `SELECT pg_terminate_backend(pid) AS killed FROM pg_stat_activity
           WHERE application_name ~ '^platewise(-[0-9]+-[0-9]+)?$' ORDER BY md5(pid::text || $1) LIMIT 1`,
          [String(amount)],
        );
        return rows.length > 0;
      }
      case 'dispatch_twice': {
        const rows = await ask(
          this.#connection,
          `UPDATE outbox SET sent_at = NULL WHERE id IN (SELECT id FROM outbox WHERE kind = 'dispatch' AND sent_at IS NOT NULL
           AND created_at > now() - interval '1 minute' ORDER BY id DESC LIMIT 5) RETURNING id`,
        );
        await ask(this.#connection, `SELECT pg_notify('platewise_public', 'outbox')`);
        return rows.length > 0;
      }
      case 'two_ticks':
        await Promise.all([0, 0.99].map((at) => this.#api.call('POST', '/schedule', { at, body: {} })));
        return true;
      case 'start_reply_lost':
      case 'start_ignored':
      case 'upload_breaks':
        return this.#floor.act(printer, '/fault', { name: kind, times: 1 });
      case 'slow_start':
        return this.#floor.act(printer, '/fault', { name: kind, times: 1, seconds: 1 + duration * 4 });
      case 'print_fails':
        return this.#floor.act(printer, '/fault', { name: kind, times: 1, at: amount });
      case 'storage_missing':
      case 'printer_offline':
        return this.#fault(printer, kind === 'printer_offline' ? 'offline' : kind, 500 + duration * 8000);
      case 'printer_power_cycle':
        this.#operator.powerCycled.set(printer.id, Date.now());
        return this.#floor.act(printer, '/power-cycle');
      case 'screen_cancel':
        return this.#floor.act(printer, '/screen/cancel');
      case 'foreign_print':
        return this.#foreignPrint(printer, this.#minutesOf(foreignSeconds * (1 + duration)), injection.number);
      case 'foreign_again_unseen':
        return this.#foreignAgainUnseen(printer, this.#minutesOf(foreignSeconds * (1 + duration)), async () => {
          await this.#floor.act(printer, '/fault', { name: 'offline' });
          return () => this.#floor.act(printer, '/fault', { name: 'offline', on: false });
        });
      case 'foreign_in_outage': {
        let done = false;
        await this.#alone(async () => {
          done = await this.#foreignAgainUnseen(printer, this.#minutesOf(foreignSeconds), async () => {
            // Each write fails at once; a database that is silent would only delay them.
            await setReadOnly(this.#connection, true);
            return () => setReadOnly(this.#connection, false);
          });
        });
        return done;
      }
      case 'screen_pause':
        if (!(await this.#floor.act(printer, '/screen/pause'))) return false;
        await pause(1000 + duration * 10_000);
        await this.#floor.act(printer, '/screen/resume');
        return true;
      case 'pairing_refused':
        if (printer.make !== 'snapmaker') return false;
        // Existing connections stay; new ones are refused.
        setTimeout(() => {
          for (const wire of this.#wires.of(printer)) wire.cut();
        }, 200);
        return this.#fault(printer, 'remote_disabled', 2000 + duration * 10_000);
      case 'lasting_storage_missing':
        return this.#fault(printer, 'storage_missing', 20_000 + duration * 60_000);
      case 'lease_ahead': {
        // Leases look like this after the database clock was set back and their holders are gone.
        const rows = await ask(
          this.#connection,
          `UPDATE print_attempts SET lease_until = lease_until + interval '1 hour'
           WHERE phase <> 'ended' AND lease_until IS NOT NULL RETURNING id`,
        );
        if (rows.length === 0) return false;
        await process.end('SIGKILL');
        process.start();
        return true;
      }
      case 'row_locked':
        return this.#lockRow(printer, 1000 + duration * 9000);
      case 'read_only_database':
        return this.#alone(() => this.#readOnly(1000 + duration * 5000));
      case 'database_exhausted':
        return this.#alone(() => this.#exhaust(1000 + duration * 7000));
      case 'poison_message':
        if (!this.#rabbit) return false;
        return publishPoison(
          this.#rabbit.url,
          duration < 0.5 ? { queue: `fabrication.jobs.${printer.id}` } : { exchange: 'fabrication.status' },
          Random.pick(poison, amount) ?? '{',
        );
      case 'addresses_swapped': {
        const other = Random.pick(
          this.#floor.printers.filter(({ id, make }) => id !== printer.id && make === printer.make),
          amount,
        );
        if (!other || !this.#wires.swap(printer, other)) return false;
        await pause(3000 + duration * 17_000);
        this.#wires.unswap(printer, other);
        return true;
      }
      case 'printer_slow':
        return this.#slow(this.#wires.of(printer), 20 + amount * 400, 1000 + duration * 14_000);
      case 'printer_half_open':
        for (const wire of this.#wires.of(printer)) wire.halfOpen();
        return true;
      case 'printer_clock_jump':
        if (printer.make !== 'moonraker') return false;
        return this.#fault(printer, 'clock_wrong', 2000 + duration * 20_000, {
          seconds: Math.round((amount - 0.5) * 7200),
        });
      case 'answers_late':
        return this.#fault(printer, kind, 1000 + duration * 9000, { seconds: 0.2 + amount * 6 });
      case 'answers_repeated':
      case 'answers_shuffled':
        return this.#fault(printer, kind, 1000 + duration * 9000);
      case 'database_slow':
      case 'broker_slow': {
        const wire = kind === 'broker_slow' ? broker : database;
        return wire ? this.#slow([wire], 5 + amount * 150, 1000 + duration * 14_000) : false;
      }
      case 'database_half_open':
      case 'broker_half_open':
        if (!broker || !database) return false;
        (kind === 'broker_half_open' ? broker : database).halfOpen();
        return true;
      case 'database_clock_jump': {
        const clock = this.#databaseClock;
        if (!clock) return false;
        return this.#alone(async () => {
          // Ahead more often than behind: timestamps written ahead have lasting effects.
          clock.set(Math.round((amount - 0.25) * 4800));
          await pause(2000 + duration * 20_000);
          clock.set(0);
        });
      }
      case 'queue_deleted':
      case 'queue_purged':
        if (!this.#rabbit) return false;
        return actOnQueue(
          this.#rabbit.url,
          `fabrication.jobs.${printer.id}`,
          kind === 'queue_deleted' ? 'delete' : 'purge',
        );
      case 'connections_closed':
        return this.#rabbit ? closeConnections(this.#rabbit) : false;
      case 'deploy':
        return process.deploy();
      case 'printer_disabled': {
        // The deployment's answer may be lost, so it is undone in any case.
        const disabled = await process.deploy(printer.id, { d: true });
        if (disabled) await pause(1000 + duration * 10_000);
        for (let attempt = 0; attempt < 60; attempt++) {
          if (await process.deploy(printer.id, { d: undefined })) return disabled;
          await pause(1000);
        }
        throw new Error(`${printer.id} could not be enabled again.`);
      }
      case 'configuration_changed':
        return process.deploy(printer.id, { buildZ: String(280 + Math.floor(amount * 20)) });
      case 'backup_restored':
        return this.#alone(() => this.#restoreBackup(process, injection));
      case 'cancel_job':
        return this.#cancelJob(target, amount);
      case 'change_priority':
        return this.#onOpenJob(target, async (id) => {
          await this.#api.call('PATCH', `/jobs/${id}/priority`, {
            at: amount,
            body: { priority: 1 + Math.floor(duration * 10) },
          });
        });
      case 'reassign_job':
        return this.#onOpenJob(target, async (id, fitting) => {
          const wanted = amount < 0.3 ? null : (Random.pick(fitting, duration)?.id ?? null);
          await this.#api.call('PATCH', `/jobs/${id}/printer`, { at: amount, body: { force_printer: wanted } });
        });
      case 'hold_and_release':
        return this.#onOpenJob(target, async (id) => {
          await this.#api.call('POST', `/jobs/${id}/hold`, { at: amount });
          await pause(duration * 5000);
          await this.#api.insist('POST', `/jobs/${id}/release`).catch(() => undefined);
        });
      case 'wrong_machine_file':
      case 'damaged_file':
      case 'wrong_type_file':
        return this.#submitWrongFile(kind, amount);
    }
  }

  /** Submits a file that must not be printed. False if there was no answer, so that the outcome is unknown. */
  async #submitWrongFile(kind: WrongKind, at: number): Promise<boolean> {
    const wrong = Random.pick(this.#wrongFiles?.[kind] ?? [], at);
    if (!wrong) return false;
    const stored = await this.#api.call('POST', '/files', { at, body: await formOf(wrong.path) });
    if (stored.status !== 201) return stored.status === 422 || stored.status === 400;
    const job = {
      job_name: `${wrongFilePrefix}${kind}`,
      stl_path: stored.body['stl_path'],
      material_id: wrong.materialId,
      accept_unknown_machine: true,
    };
    const { status } = await this.#api.call('POST', '/jobs', { at, body: job });
    return status === 201 || status === 422;
  }

  /** Only one server is down at a time. */
  async #alone(work: () => Promise<void>): Promise<boolean> {
    if (this.#serverBusy) return false;
    this.#serverBusy = true;
    try {
      await work();
      return true;
    } finally {
      this.#serverBusy = false;
    }
  }

  /** Printer minutes that correspond to this many seconds of the campaign. */
  #minutesOf(seconds: number): number {
    return (seconds / 60) * this.#options.speed;
  }

  /** Starts a foreign print at the printer's own screen, on an empty plate. */
  async #foreignPrint(printer: Simulated, minutes: number, number: number): Promise<boolean> {
    if (this.#operator.busy.has(printer.id)) return false;
    this.#operator.busy.add(printer.id);
    try {
      const { plate, printing } = await this.#floor.state(printer);
      if (plate !== 'clear' || printing !== null) return false;
      return await this.#floor.act(printer, '/foreign-start', { file_name: `foreign-${number}.gcode`, minutes });
    } finally {
      this.#operator.busy.delete(printer.id);
    }
  }

  /** A fault of a printer that is undone after its time (ms). */
  async #fault(printer: Simulated, name: string, lasts: number, setting: object = {}): Promise<boolean> {
    if (!(await this.#floor.act(printer, '/fault', { ...setting, name }))) return false;
    await pause(lasts);
    await this.#floor.act(printer, '/fault', { name, on: false });
    return true;
  }

  /** Delays each chunk on these wires (ms), for a limited time (ms). */
  async #slow(wires: Wire[], delay: number, lasts: number): Promise<boolean> {
    for (const wire of wires) wire.slow(delay);
    await pause(lasts);
    for (const wire of wires) wire.slow(0);
    return true;
  }

  /**
   * Prints the same file at the printer's own screen repeatedly: at first for all to see, later in the dark. Only the
   * printer's history, or what its agent remembers, reveals the later prints.
   * @param darken keeps the system from seeing or storing anything until the returned function is called
   */
  async #foreignAgainUnseen(
    printer: Simulated,
    minutes: number,
    darken: () => Promise<() => Promise<unknown>>,
  ): Promise<boolean> {
    if (this.#operator.busy.has(printer.id)) return false;
    this.#operator.busy.add(printer.id);
    try {
      const { plate, printing } = await this.#floor.state(printer);
      if (plate !== 'clear' || printing !== null) return false;
      const order = { file_name: 'again.gcode', minutes };
      if (!this.#printedAgain.has(printer.id)) {
        this.#printedAgain.add(printer.id);
        return await this.#floor.act(printer, '/foreign-start', order);
      }
      const lighten = await darken();
      try {
        const started = await this.#floor.act(printer, '/foreign-start', order);
        const end = performance.now() + 30_000;
        while (started && performance.now() < end && (await this.#floor.state(printer)).printing !== null)
          await pause(100);
        await pause(1000);
        return started;
      } finally {
        await lighten();
      }
    } finally {
      this.#operator.busy.delete(printer.id);
    }
  }

  /** Holds a lock on a printer's row for a while (ms), as a transaction in a forgotten console does. */
  async #lockRow(printer: Simulated, lasts: number): Promise<boolean> {
    const client = new Client({ ...this.#connection(), connectionTimeoutMillis: 5000 });
    client.on('error', () => undefined);
    try {
      await client.connect();
      await client.query('BEGIN');
      const { rowCount } = await client.query('SELECT 1 FROM printers WHERE id = $1 FOR UPDATE', [printer.id]);
      await pause(lasts);
      await client.query('ROLLBACK');
      return rowCount === 1;
    } catch {
      return false;
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  /** Uses up all free database connections for a while (ms). */
  async #exhaust(lasts: number): Promise<void> {
    const clients: Client[] = [];
    try {
      for (;;) {
        const client = new Client({ ...this.#connection(), connectionTimeoutMillis: 5000 });
        client.on('error', () => undefined);
        clients.push(client);
        await client.connect();
      }
    } catch {
      await pause(lasts);
    } finally {
      await Promise.allSettled(clients.map((client) => client.end()));
    }
  }

  /** Makes the database read-only for a while (ms), like a standby. */
  async #readOnly(lasts: number): Promise<void> {
    await setReadOnly(this.#connection, true);
    await pause(lasts);
    await setReadOnly(this.#connection, false);
  }

  /** Restores everything to an earlier state. Jobs accepted since then are gone, as the administrator knows. */
  async #restoreBackup(process: NodeRed, { number, duration, amount }: Injection): Promise<void> {
    const backup = join(this.#options.directory, `backup-${number}`);
    const { host, port } = this.#connection();
    const direct: Record<string, string> = this.#postgres
      ? { DATABASE_URL: `postgres://platewise@localhost/postgres?host=${host}&port=${port}` }
      : {};
    const from = Date.now();
    await process.command(['backup', backup], direct);
    await pause(duration * 30_000);
    for (const each of this.#nodeReds) each.locked = true;
    try {
      await Promise.all(this.#nodeReds.map((each) => each.end(amount < 0.5 ? 'SIGTERM' : 'SIGKILL')));
      await process.command(['restore', backup, '--replace'], direct).catch((error: unknown) => {
        // A restore may fail for lack of a connection, but not because of the content of a backup.
        if (/violates|invalid|does not exist/.test(String(error))) this.#refusedRestores.push(String(error));
        throw error;
      });
      for (const [id, at] of this.#accepted) if (at >= from) this.#accepted.delete(id);
      for (const [id, at] of this.#cancelled) if (at >= from) this.#cancelled.delete(id);
    } finally {
      for (const each of this.#nodeReds) {
        each.locked = false;
        each.start();
      }
    }
    // The embedded database runs only together with its Node-RED.
    await ask(this.#connection, fenceGuard(leaseSeconds));
    const jobs = await ask<{ id: string }>(this.#connection, 'SELECT id FROM print_jobs');
    for (const { id } of jobs) this.#countedAnew.add(id);
    await this.#cancelWhatWasPrinted();
  }

  /** After a restore, the operator checks what was printed since the backup, and cancels those jobs before the rest is released. */
  async #cancelWhatWasPrinted(): Promise<void> {
    const withdrawn = await ask<{ job_id: string; printer_id: string; file_name: string }>(
      this.#connection,
      `SELECT a.job_id, a.printer_id, a.file_name FROM print_attempts a JOIN print_jobs j ON j.id = a.job_id
       WHERE a.outcome = 'withdrawn' AND a.reason LIKE '%restored%' AND j.hold AND j.completed_at IS NULL`,
    );
    for (const { job_id, printer_id, file_name } of withdrawn) {
      const printer = this.#floor.printers.find(({ id }) => id === printer_id);
      const printed = printer && this.#floor.truth(printer).some((line) => sameFile(line.file_name, file_name));
      if (printed) await this.#api.insist('DELETE', `/jobs/${job_id}`).catch(() => undefined);
    }
  }

  async #cancelJob(target: number, at: number): Promise<boolean> {
    return this.#onOpenJob(target, async (id) => {
      const { status, body } = await this.#api.call('DELETE', `/jobs/${id}`, { at });
      if (status === 200 && body['status'] === 'cancelled') this.#cancelled.set(id, Date.now());
    });
  }

  /** @param work receives the job's id and the printers that it can be printed on */
  async #onOpenJob(target: number, work: (id: string, fitting: Simulated[]) => Promise<void>): Promise<boolean> {
    const rows = await ask<{ id: string; job_name: string; material_id: string }>(
      this.#connection,
      `SELECT id, job_name, material_id FROM print_jobs WHERE completed_at IS NULL ORDER BY created_at`,
    );
    const job = Random.pick(rows, target);
    if (!job) return false;
    const file = this.#files.find(({ name }) => job.job_name.startsWith(`${name} `));
    const fitting = this.#floor.printers.filter(({ make, slots }) =>
      slots.some((slot) => slot.material === job.material_id && file?.fits(make, slot)),
    );
    await work(job.id, fitting);
    return true;
  }

  // ---- the end ------------------------------------------------------------------------------------------------

  /** Undoes the remaining faults and waits until every job has settled. */
  async #settle(): Promise<void> {
    await Promise.allSettled([...this.#pending]);
    for (const proxy of [...this.#databaseProxies, ...this.#brokerProxies]) proxy.pass();
    this.#wires.pass();
    this.#databaseClock?.set(0);
    for (const process of this.#nodeReds) {
      process.tell({ arm: { moment: 'never', nth: 1, freeze: 1 }, clock: 0 });
      process.signal('SIGCONT');
    }
    for (const printer of this.#floor.printers) {
      for (const name of [
        'offline',
        'storage_missing',
        'start_ignored',
        'start_reply_lost',
        'upload_breaks',
        'slow_start',
        'print_fails',
        'remote_disabled',
        'answers_late',
        'answers_repeated',
        'answers_shuffled',
        'clock_wrong',
      ]) {
        await this.#floor.act(printer, '/fault', { name, on: false });
      }
    }
    // A hold may have been executed after the release that followed it.
    const held = await ask<{ id: string }>(
      this.#connection,
      'SELECT id FROM print_jobs WHERE hold AND completed_at IS NULL',
    );
    for (const { id } of held) await this.#api.insist('POST', `/jobs/${id}/release`).catch(() => undefined);
    const end = performance.now() + (this.#options.settleMinutes ?? settleMinutes) * 60_000;
    let open = Number.POSITIVE_INFINITY;
    while (open > 0 && performance.now() < end) {
      // A crash that was armed earlier may still happen.
      for (const process of this.#nodeReds) if (!process.running) process.start();
      const rows = await ask<{ open: string }>(
        this.#connection,
        `SELECT (SELECT count(*) FROM print_jobs WHERE completed_at IS NULL) + (SELECT count(*) FROM outbox WHERE sent_at IS NULL) AS open`,
      );
      this.#stranded = await this.#notOnline();
      open = Number(rows[0]?.open) + this.#stranded.length;
      await pause(500);
    }
    await pause(1000);
  }

  /** Printers that the system cannot reach, although every fault is undone. */
  async #notOnline(): Promise<string[]> {
    const online = (await this.#api.printers()).filter((printer) => printer.online);
    return this.#floor.printers.map(({ id }) => id).filter((id) => !online.some(({ printer_id }) => printer_id === id));
  }

  async #evidence(): Promise<Evidence> {
    return {
      stranded: this.#stranded,
      accepted: [...this.#accepted.keys()],
      cancelled: this.#cancelled,
      questions: [...this.#operator.questions.values()],
      withoutWayOut: [...this.#operator.withoutWayOut],
      told: this.#listener?.told,
      countedAnew: this.#countedAnew,
      staleWrites: await ask(this.#connection, 'SELECT attempt_id, what FROM campaign.stale_writes ORDER BY at'),
      jobs: await ask(
        this.#connection,
        `SELECT id, job_name, material_id, status, status_reason, copies, copies_done, job_seq::int, actual_cost_usd::float8 FROM print_jobs`,
      ),
      attempts: await ask(
        this.#connection,
        `SELECT id, job_id, printer_id, slot, phase, outcome, file_name, fence::text, reason, claimed_at, start_intent_at, started_at,
           ended_at FROM print_attempts`,
      ),
      history: await ask(
        this.#connection,
        'SELECT job_id, from_status, to_status, changed_by, reason, changed_at FROM job_status_history ORDER BY id',
      ),
      taken: await ask(
        this.#connection,
        `SELECT coalesce(o.attempt_id, d.attempt_id) AS attempt_id, o.grams::float8 AS recorded_grams,
           o.cost_usd::float8 AS recorded_usd, d.grams::float8 AS deducted_grams
         FROM print_outcomes o
         FULL JOIN (SELECT attempt_id, sum(grams) AS grams FROM spool_deductions GROUP BY attempt_id) d
           ON d.attempt_id = o.attempt_id`,
      ),
      spools: await ask(
        this.#connection,
        `SELECT s.id, s.initial_grams::float8, s.grams_left::float8,
           coalesce((SELECT sum(d.grams) FROM spool_deductions d WHERE d.spool_id = s.id), 0)::float8 AS deducted_grams
         FROM spools s`,
      ),
    };
  }
}

const mapsAsLists = (_key: string, value: unknown): unknown =>
  value instanceof Map || value instanceof Set ? [...value] : value;

/** A directory name that no other campaign uses. */
export const campaignDirectory = (base: string): string => join(base, `platewise-campaign-${randomUUID().slice(0, 8)}`);
