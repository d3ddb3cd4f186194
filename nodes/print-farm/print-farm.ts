import { isAbsolute, join } from 'node:path';
import type { NodeAPI, NodeDef } from 'node-red';
import { apiRoot } from '../../lib/api/serve';
import type { FarmOptions } from '../../lib/farm/options';
import { asError, PlatewiseError } from '../../lib/model/errors';
import { oneLine } from '../../lib/model/one-line';
import { parseRetryPolicy } from '../../lib/model/retry-policy';
import { parseTariff } from '../../lib/model/tariff';
import { hoursFrom } from '../../lib/planning/calendar';
import { defaultWeights } from '../../lib/planning/objective';
import { upToDate } from '../definition';
import { bodyReader } from '../http/body-reader';
import { guardFrames } from '../http/frame-guard';
import { guardSource } from '../http/source-guard';
import { answerFailed, answerUnrouted } from '../http/unanswered';
import { admitted } from './admitted';
import { FarmLifecycle } from './farm-lifecycle';
import type { PrintFarmCredentials, PrintFarmNode } from './print-farm-node';

/** The configuration as stored by the editor. */
interface PrintFarmDefinition extends NodeDef {
  dataDirectory: string;
  fileRoots: string;
  clearMinutes: string | number;
  changeMinutes: string | number;
  maxUploadMegabytes: string | number;
  uploadsPerMinute: string | number;
  operatorHours: string;
  operatorDays: string;
  timeZone: string;
  quietHours: string;
  weightLateness?: string | number;
  weightSoftTardiness?: string | number;
  weightFlow?: string | number;
  weightChange?: string | number;
  weightIdle?: string | number;
  weightBlock?: string | number;
  weightBalance?: string | number;
  weightKit?: string | number;
  weightPromise?: string | number;
  prusaSlicerPath: string;
  orcaSlicerPath: string;
  spoolmanUrl: string;
  tariff: string;
  retryPolicy: string;
  lowStockGrams: string | number;
  keepFilesDays: string | number;
  keepJobsDays: string | number;
  keepKeysDays: string | number;
}

/** Returns the first value that is set. */
function firstText(...candidates: unknown[]): string | undefined {
  return candidates.find((candidate): candidate is string => typeof candidate === 'string' && candidate !== '');
}

/** The default limit for the total size of a farm's files. */
const defaultFilesGigabytes = 100;

function number(value: string | number | undefined, fallback: number): number {
  const parsed = Number(value);
  return value === '' || value === undefined || !Number.isFinite(parsed) ? fallback : parsed;
}

/**
 * Returns the operator hours and the planner's weights. @throws UnacceptableInputError hours, days or time zone are
 * invalid
 */
function planningOf(definition: PrintFarmDefinition): Pick<FarmOptions, 'operator' | 'quiet' | 'weights'> {
  const timeZone = definition.timeZone || Intl.DateTimeFormat().resolvedOptions().timeZone;
  const hours = firstText(definition.operatorHours, process.env['OPERATOR_HOURS']);
  const days = definition.operatorDays.split(',').filter((day) => day.trim() !== '');
  return {
    ...(hours !== undefined && { operator: hoursFrom(hours, timeZone, days.map(Number)) }),
    ...(definition.quietHours && { quiet: hoursFrom(definition.quietHours, timeZone, undefined, 'quiet_hours') }),
    weights: {
      lateness: number(definition.weightLateness, defaultWeights.lateness),
      softTardiness: number(definition.weightSoftTardiness, defaultWeights.softTardiness),
      flow: number(definition.weightFlow, defaultWeights.flow),
      change: number(definition.weightChange, defaultWeights.change),
      idle: number(definition.weightIdle, defaultWeights.idle),
      block: number(definition.weightBlock, defaultWeights.block),
      balance: number(definition.weightBalance, defaultWeights.balance),
      kit: number(definition.weightKit, defaultWeights.kit),
      promise: number(definition.weightPromise, defaultWeights.promise),
    },
  };
}

/**
 * Settings that hardly any farm needs to change, and that therefore have no field in the editor; see docs/operating.md.
 */
function timesFromEnvironment(): Pick<FarmOptions, 'dispatchResendSeconds' | 'dispatchExpiresMinutes' | 'times'> {
  const seconds = (name: string): number | undefined => {
    const value = Number(process.env[name]);
    return process.env[name] && value > 0 ? value : undefined;
  };
  const resend = seconds('DISPATCH_RESEND_SECONDS');
  const expires = seconds('DISPATCH_EXPIRES_MINUTES');
  const lease = seconds('ATTEMPT_LEASE_SECONDS');
  const start = seconds('START_COMMAND_SECONDS');
  const look = seconds('LOOK_FOR_JOB_SECONDS');
  return {
    ...(resend !== undefined && { dispatchResendSeconds: resend }),
    ...(expires !== undefined && { dispatchExpiresMinutes: expires }),
    times: {
      ...(lease !== undefined && { leaseSeconds: lease }),
      ...(start !== undefined && { startCommandSeconds: start }),
      ...(look !== undefined && { lookForJobSeconds: look }),
    },
  };
}

/** A farm that stays closed and returns the reason to every caller. */
function stayClosed(node: PrintFarmNode, cause: Error): void {
  const remedy = 'Mend it in the print-farm node and deploy.';
  const problem = new PlatewiseError(cause.message, { code: 'farm_not_open', retryable: true, remedy, cause });
  node.error(`${problem.message} ${remedy}`);
  node.add = (user) => user.failed(problem);
  node.remove = () => Promise.resolve();
  node.farm = () => Promise.reject(problem);
}

export = (RED: NodeAPI): void => {
  const farms = new Set<FarmLifecycle>();
  RED.httpNode.use(
    guardFrames(() => {
      const paths: string[] = [];
      RED.nodes.eachNode((node: NodeDef & { path?: unknown }) => {
        if (node.type === 'ui-base' && typeof node.path === 'string') paths.push(node.path);
      });
      return paths;
    }),
  );
  RED.httpNode.use(apiRoot, guardSource);
  RED.httpNode.use(
    apiRoot,
    bodyReader((authorization, least) => admitted([...farms], authorization, least)),
  );
  // A request that no route has answered returns to the application in which Node-RED's own are mounted, if they are by
  // now; there the editor's parser runs before our handlers.
  const outerApp = (RED.httpNode as { parent?: typeof RED.httpNode } | undefined)?.parent;
  const outerRoot = `${(RED.settings.httpNodeRoot || '/').replace(/\/$/, '')}${apiRoot}`;
  // While flows are starting, at first or after a deployment, not every route is registered yet.
  let started = false;
  RED.events.on('flows:started', () => {
    started = true;
  });
  RED.events.on('flows:stopping', () => {
    started = false;
  });
  // The guards of the flows' routes also apply to requests that are answered here.
  for (const middleware of [RED.settings.httpNodeMiddleware].flat()) {
    if (typeof middleware === 'function') outerApp?.use(outerRoot, middleware);
  }
  outerApp?.use(
    outerRoot,
    answerUnrouted(
      () => started,
      // The owner may want to serve only the routes of the flows.
      () =>
        process.env['PLATEWISE_API_FALLBACK'] === 'off' ? undefined : [...farms].find(({ used }) => used)?.answering,
    ),
  );
  outerApp?.use(outerRoot, answerFailed);

  /** The owner's settings for files, slicing and costs; an invalid text is reported and left out. */
  function decisionsOf(definition: PrintFarmDefinition, tell: (problem: string) => void): Partial<FarmOptions> {
    const understood = <Value>(read: () => Value): Value | undefined => {
      try {
        return read();
      } catch (error) {
        const { message } = asError(error);
        tell(error instanceof PlatewiseError ? `${message} ${error.remedy}` : message);
        return undefined;
      }
    };
    const tariffText = firstText(definition.tariff, process.env['PLATEWISE_TARIFF']);
    const timeZone = firstText(process.env['PLATEWISE_TIME_ZONE']);
    const tariff = understood(() => (tariffText === undefined ? undefined : parseTariff(tariffText, timeZone)));
    const retryPolicy = understood(() =>
      parseRetryPolicy(firstText(definition.retryPolicy, process.env['PLATEWISE_RETRY_POLICY']) ?? ''),
    );
    const orcaSlicerPath = firstText(definition.orcaSlicerPath, process.env['PLATEWISE_ORCA_SLICER']);
    const profileDirectory = firstText(process.env['PLATEWISE_PROFILES']);
    const spoolmanUrl = firstText(definition.spoolmanUrl, process.env['PLATEWISE_SPOOLMAN']);
    return {
      ...(tariff && { tariff }),
      ...(retryPolicy && { retryPolicy }),
      ...(orcaSlicerPath !== undefined && { orcaSlicerPath }),
      ...(profileDirectory !== undefined && { profileDirectory }),
      ...(spoolmanUrl !== undefined && { spoolmanUrl }),
      lowStockGrams: number(definition.lowStockGrams, 150),
      keepFilesDays: number(definition.keepFilesDays, 30),
      ...(Number(definition.keepJobsDays) > 0 && { keepJobsDays: Number(definition.keepJobsDays) }),
      ...(Number(definition.keepKeysDays) > 0 && { keepKeysDays: Number(definition.keepKeysDays) }),
    };
  }

  function PrintFarm(this: PrintFarmNode, stored: PrintFarmDefinition): void {
    RED.nodes.createNode(this, stored);
    const definition = upToDate(stored);
    let planning: ReturnType<typeof planningOf>;
    try {
      planning = planningOf(definition);
    } catch (error) {
      // Invalid hours could be quiet hours, so the farm stays closed until they are corrected.
      stayClosed(this, asError(error));
      return;
    }
    const userDirectory = RED.settings.userDir ?? process.cwd();
    const wanted = definition.dataDirectory || process.env['PLATEWISE_DATA'] || 'platewise';
    const databaseUrl = firstText(this.credentials?.databaseUrl, process.env['DATABASE_URL']);
    const amqpUrl = firstText(this.credentials?.amqpUrl, process.env['AMQP_URL']);
    const filesGigabytes = number(process.env['PLATEWISE_FILES_GIGABYTES'], defaultFilesGigabytes);
    const lifecycle = new FarmLifecycle({
      ...(databaseUrl !== undefined && { databaseUrl }),
      ...(amqpUrl !== undefined && { amqpUrl }),
      dataDirectory: isAbsolute(wanted) ? wanted : join(userDirectory, wanted),
      fileRoots: (definition.fileRoots ?? '')
        .split(/[\n,]/)
        .map((root) => root.trim())
        .filter((root) => root !== ''),
      clearMinutes: number(definition.clearMinutes, 5),
      changeMinutes: number(definition.changeMinutes, 12.5),
      maxUploadBytes: number(definition.maxUploadMegabytes, 1024) * 1024 * 1024,
      ...(filesGigabytes > 0 && { maxStoredBytes: filesGigabytes * 1024 ** 3 }),
      uploadsPerMinute: number(
        firstText(String(definition.uploadsPerMinute), process.env['PLATEWISE_UPLOADS_PER_MINUTE']),
        120,
      ),
      ...decisionsOf(definition, (problem) => this.error(problem)),
      ...planning,
      ...timesFromEnvironment(),
      ...(process.env['PLATEWISE_EVENT_LOG'] && { eventLog: process.env['PLATEWISE_EVENT_LOG'] }),
      ...(definition.prusaSlicerPath && { prusaSlicerPath: definition.prusaSlicerPath }),
      log: (level, message) => {
        // Before the farm is open, no other code has reduced the text to one line.
        const line = oneLine(message);
        if (level === 'info') this.log(line);
        else this[level](line);
      },
    });
    farms.add(lifecycle);
    this.add = (user) => lifecycle.add(user);
    this.remove = (user) => lifecycle.remove(user);
    this.farm = () => lifecycle.farm();
    this.on('close', (done: () => void) => {
      farms.delete(lifecycle);
      lifecycle.close().then(done, done);
    });
  }

  RED.nodes.registerType<PrintFarmNode, PrintFarmDefinition, object, PrintFarmCredentials>('print-farm', PrintFarm, {
    credentials: { databaseUrl: { type: 'password' }, amqpUrl: { type: 'password' } },
  });
};
