import type { Node, NodeAPI } from 'node-red';
import type { Call } from '../../lib/api/call';
import type { Endpoint } from '../../lib/api/endpoint';
import { endpoints } from '../../lib/api/endpoints';
import type { Farm } from '../../lib/farm/farm';
import { MalformedInputError } from '../../lib/model/errors';
import { callOfMessage } from '../call';
import { upToDate } from '../definition';
import { type FarmNodeDefinition, useFarm } from '../farm-user';
import { bodyOf, type FlowMessage } from '../http/request';
import { onInput, outcomeOf } from '../input';

interface JobControlDefinition extends FarmNodeDefinition {
  /** The name of an action of the API; empty: taken from `msg.payload.action`. */
  action: string;
  /** Whether every message needs a key once the farm has keys, not only requests and orders from a dashboard. */
  keyNeeded?: boolean;
}

/** Every action of the API by its name. */
const actions = new Map<string, Endpoint>(endpoints.flatMap((row) => (row.action ? [[row.action.name, row]] : [])));

/** Builds the call of an action. Over a wire, the ids of its subject are taken from the payload. */
function callOf(farm: Farm, message: FlowMessage, { action }: Endpoint): Call {
  const { action: _action, actor: _actor, slot, ...body } = bodyOf(message);
  const subject = action?.subject;
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
  const params = { id: id ?? '', slot: message.req?.params['slot'] ?? String(slot ?? '') };
  return { ...callOfMessage(farm, message, params), body: () => body };
}

export = (RED: NodeAPI): void => {
  function JobControl(this: Node, stored: JobControlDefinition): void {
    RED.nodes.createNode(this, stored);
    const definition = upToDate(stored);
    const access = useFarm(RED, this, definition);
    onInput(this, { access, scope: 'operate', keyNeeded: definition.keyNeeded === true }, async (message) => {
      const name = definition.action || String(message.req ? '' : (bodyOf(message)['action'] ?? ''));
      const action = actions.get(name);
      if (!action) {
        const remedy = `Use one of ${[...actions.keys()].join(', ')}.`;
        throw new MalformedInputError('There is no such action.', [{ field: 'action', value: name, remedy }]);
      }
      return outcomeOf(await action.handle(callOf(await access.farm(), message, action)));
    });
  }
  RED.nodes.registerType('job-control', JobControl);
};
