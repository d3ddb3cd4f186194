import type { Node, NodeAPI } from 'node-red';
import { closePrinter, reopenPrinter } from '../../lib/beds/closures';
import { acceptIdentity, removePrinter } from '../../lib/beds/machines';
import type { Farm } from '../../lib/farm/farm';
import { cancelJob } from '../../lib/jobs/cancel';
import { changeJob } from '../../lib/jobs/change-job';
import { clearBedOf, discard, hold, replay, reprioritise } from '../../lib/jobs/changes';
import { pauseFarm, resumeFarm } from '../../lib/jobs/farm-pause';
import { answerOutcome } from '../../lib/jobs/outcome';
import { pauseOrResume } from '../../lib/jobs/pause';
import { reassign } from '../../lib/jobs/reassign';
import { MalformedInputError } from '../../lib/model/errors';
import { addMaterial, changeMaterial, removeMaterial } from '../../lib/stock/materials';
import { addSpool, changeSlot, changeSpool, removeSpool } from '../../lib/stock/spools';
import { setupDone } from '../../lib/views/setups';
import { type FarmNodeDefinition, useFarm } from '../farm-user';
import { versionsWanted } from '../http/entity-tag';
import { actorOf, bodyOf, type FlowMessage } from '../http/request';
import { onInput } from '../input';

interface JobControlDefinition extends FarmNodeDefinition {
  /** One of the keys of `actions`, or empty: `msg.payload.action` says. */
  action: string;
  /** Whether every message needs a key once there is one, and not only requests and orders from a dashboard. */
  keyNeeded?: boolean;
}

/** An order to change something: of what, with what, by whom. */
interface Order {
  farm: Farm;
  id: string;
  slot: string;
  body: Record<string, unknown>;
  actor: string;
  /** Whether it came as a request, and not over a wire. */
  overHttp: boolean;
  /** Versions of the subject that the change was decided upon; undefined: any. */
  versions: number[] | undefined;
}

/** Each action, and which property of a wire's payload names its subject. */
const actions: Record<
  string,
  { subject?: string; run(order: Order): Promise<{ payload: unknown; statusCode?: number }> }
> = {
  cancel: {
    subject: 'job_id',
    run: async ({ farm, id, actor, versions }) => {
      const { done, ...payload } = await cancelJob(farm, id, actor, { versions });
      return { payload, statusCode: done ? 200 : 202 };
    },
  },
  'change-job': {
    subject: 'job_id',
    run: async ({ farm, id, body, actor, versions }) => ({ payload: await changeJob(farm, id, body, actor, versions) }),
  },
  priority: {
    subject: 'job_id',
    run: async ({ farm, id, body, actor, versions }) => ({
      payload: await reprioritise(farm, id, body, actor, versions),
    }),
  },
  reassign: {
    subject: 'job_id',
    run: async ({ farm, id, body, actor, versions }) => ({ payload: await reassign(farm, id, body, actor, versions) }),
  },
  hold: {
    subject: 'job_id',
    run: async ({ farm, id, actor, versions }) => ({ payload: await hold(farm, id, true, actor, versions) }),
  },
  release: {
    subject: 'job_id',
    run: async ({ farm, id, body, actor, versions }) => ({
      payload: await hold(farm, id, false, actor, versions, body),
    }),
  },
  'clear-bed': {
    subject: 'printer_id',
    run: async (order) => ({
      payload: await clearBedOf(order.farm, order.id, order.body, order.actor, order.overHttp),
    }),
  },
  'accept-identity': {
    subject: 'printer_id',
    run: async (order) => ({ payload: await acceptIdentity(order.farm, order.id, order.body, order.actor) }),
  },
  'remove-printer': {
    subject: 'printer_id',
    run: async (order) => ({ payload: await removePrinter(order.farm, order.id, order.actor) }),
  },
  pause: { subject: 'printer_id', run: (order) => pauseAnswer(order, 'pause') },
  resume: { subject: 'printer_id', run: (order) => pauseAnswer(order, 'resume') },
  'pause-farm': { run: async ({ farm, body, actor }) => ({ payload: await pauseFarm(farm, body, actor) }) },
  'resume-farm': { run: async ({ farm, body }) => ({ payload: await resumeFarm(farm, body) }) },
  outcome: {
    subject: 'attempt_id',
    run: async (order) => ({ payload: await answerOutcome(order.farm, order.id, order.body, order.actor) }),
  },
  replay: { subject: 'id', run: async (order) => ({ payload: await replay(order.farm, order.id, order.actor) }) },
  discard: { subject: 'id', run: async (order) => ({ payload: await discard(order.farm, order.id) }) },
  'setup-done': {
    subject: 'id',
    run: async (order) => ({ payload: await setupDone(order.farm, order.id, order.body, order.actor, order.overHttp) }),
  },
  'close-printer': {
    subject: 'printer_id',
    run: async (order) => ({
      payload: await closePrinter(order.farm, order.id, order.body, order.actor),
      statusCode: 201,
    }),
  },
  'reopen-printer': { subject: 'id', run: async (order) => ({ payload: await reopenPrinter(order.farm, order.id) }) },
  'add-spool': { run: async (order) => ({ payload: await addSpool(order.farm, order.body), statusCode: 201 }) },
  'change-spool': {
    subject: 'spool_id',
    run: async ({ farm, id, body }) => ({ payload: await changeSpool(farm, id, body) }),
  },
  'remove-spool': { subject: 'spool_id', run: async ({ farm, id }) => ({ payload: await removeSpool(farm, id) }) },
  'add-material': { run: async ({ farm, body }) => ({ payload: await addMaterial(farm, body), statusCode: 201 }) },
  'change-material': {
    subject: 'material_id',
    run: async ({ farm, id, body }) => ({ payload: await changeMaterial(farm, id, body) }),
  },
  'remove-material': {
    subject: 'material_id',
    run: async ({ farm, id }) => ({ payload: await removeMaterial(farm, id) }),
  },
  'change-slot': {
    subject: 'printer_id',
    run: async (order) => ({ payload: await changeSlot(order.farm, order.id, order.slot, order.body) }),
  },
};

/** 202 if the printer has not shown it yet. */
async function pauseAnswer(
  { farm, id }: Order,
  wanted: 'pause' | 'resume',
): Promise<{ payload: unknown; statusCode: number }> {
  const { done, ...payload } = await pauseOrResume(farm, id, wanted);
  return { payload, statusCode: done ? 200 : 202 };
}

function orderOf(farm: Farm, message: FlowMessage, subject: string | undefined): Order {
  const { action: _action, actor: _actor, slot, ...rest } = bodyOf(message);
  const body: Record<string, unknown> = rest;
  let id = message.req?.params['id'];
  if (id === undefined && subject !== undefined) {
    id = typeof body[subject] === 'string' ? body[subject] : undefined;
    delete body[subject];
    if (id === undefined) {
      throw new MalformedInputError(`The message does not say which ${subject}.`, [
        { field: subject, value: null, remedy: `Send {"${subject}": "…"} in msg.payload.` },
      ]);
    }
  }
  return {
    farm,
    id: id ?? '',
    slot: message.req?.params['slot'] ?? String(slot ?? ''),
    body,
    actor: actorOf(message),
    overHttp: message.req !== undefined,
    versions: versionsWanted(message),
  };
}

export = (RED: NodeAPI): void => {
  function JobControl(this: Node, definition: JobControlDefinition): void {
    RED.nodes.createNode(this, definition);
    const access = useFarm(RED, this, definition);
    onInput(this, { access, scope: 'operate', keyNeeded: definition.keyNeeded === true }, (message) => {
      const name = definition.action || String(message.req ? '' : (bodyOf(message)['action'] ?? ''));
      const action = actions[name];
      if (!action) {
        const remedy = `Use one of ${Object.keys(actions).join(', ')}.`;
        return Promise.reject(
          new MalformedInputError('There is no such action.', [{ field: 'action', value: name, remedy }]),
        );
      }
      return access.farm().then((farm) => action.run(orderOf(farm, message, action.subject)));
    });
  }
  RED.nodes.registerType('job-control', JobControl);
};
