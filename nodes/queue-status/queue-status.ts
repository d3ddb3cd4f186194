import type { Node, NodeAPI } from 'node-red';
import type { Endpoint } from '../../lib/api/endpoint';
import { endpoints } from '../../lib/api/endpoints';
import { homeAssistant } from '../../lib/integrations/home-assistant';
import { QueueFeed } from '../../lib/views/queue-feed';
import { callOfMessage, payloadOf } from '../call';
import { type FarmNodeDefinition, useFarm } from '../farm-user';
import type { FlowMessage } from '../http/request';
import { onInput, outcomeOf } from '../input';

interface QueueStatusDefinition extends FarmNodeDefinition {
  /** The name of a query of the API, or of one that exists only for flows: `queue-changes`, `home-assistant`. */
  question: string;
}

/** Every query of the API by its name. */
const questions = new Map<string, Endpoint>(
  endpoints.flatMap((row) => (row.question ? [[row.question.name, row]] : [])),
);

/** The subject of the query: the id in the URL, or in the payload of a wire. */
function subjectOf(message: FlowMessage, name: string | undefined): string {
  const given = message.req?.params['id'];
  if (given !== undefined || name === undefined) return given ?? '';
  return String(payloadOf(message)[name] ?? message.payload);
}

export = (RED: NodeAPI): void => {
  function QueueStatus(this: Node, definition: QueueStatusDefinition): void {
    RED.nodes.createNode(this, definition);
    const closing = new AbortController();
    const access = useFarm(RED, this, definition, { closing: () => closing.abort() });
    const feed = new QueueFeed();
    const { question: name } = definition;
    const question = questions.get(name) ?? questions.get('queue');
    onInput(this, { access, scope: name === 'health' ? null : 'read' }, async (message) => {
      const farm = await access.farm();
      const query = message.req?.query ?? payloadOf(message);
      if (name === 'queue-changes') {
        const payload = await feed.tell(farm, query['whole'] === true);
        return payload === undefined ? undefined : { payload };
      }
      if (name === 'home-assistant') return { payload: await homeAssistant(farm, query) };
      const params = { id: subjectOf(message, question?.question?.subject) };
      const call = callOfMessage(farm, message, params, closing.signal);
      // A query over a wire may have any payload.
      return outcomeOf(await question?.handle(message.req ? call : { ...call, body: () => query }));
    });
  }
  RED.nodes.registerType('queue-status', QueueStatus);
};
