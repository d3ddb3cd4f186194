import type { Node, NodeAPI } from 'node-red';
import type { Match } from '../../lib/api/router';
import { apiRoot, endpointFor, pathBelow, routeName } from '../../lib/api/serve';
import { MalformedInputError, NotFoundError } from '../../lib/model/errors';
import { callOfMessage } from '../call';
import { upToDate } from '../definition';
import { type FarmNodeDefinition, useFarm } from '../farm-user';
import type { FlowMessage } from '../http/request';
import { onInput, outcomeOf } from '../input';

interface FabricationApiDefinition extends FarmNodeDefinition {
  /** The base path of the API, as in the URL of the `http in` nodes. */
  base: string;
}

export = (RED: NodeAPI): void => {
  function FabricationApi(this: Node, stored: FabricationApiDefinition): void {
    RED.nodes.createNode(this, stored);
    const definition = upToDate(stored);
    const closing = new AbortController();
    const access = useFarm(RED, this, definition, { closing: () => closing.abort() });
    const base = (definition.base || apiRoot).replace(/\/+$/, '');

    /** Finds the endpoint of a request. @throws NotFoundError, MalformedInputError there is none */
    const matchOf = ({ req }: FlowMessage): Match => {
      if (!req) {
        throw new MalformedInputError('This node answers HTTP requests only.', [
          {
            field: 'req',
            value: null,
            remedy: 'Wire http in nodes to it, or use job-submit, queue-status and job-control.',
          },
        ]);
      }
      const url = req.originalUrl ?? req.url ?? '';
      const path = pathBelow(base, url);
      if (path === undefined) throw new NotFoundError('endpoint', `${req.method} ${url}`.slice(0, 200));
      return endpointFor(req.method, path);
    };

    onInput(
      this,
      {
        access,
        scope: (message) => {
          const { endpoint, params } = matchOf(message);
          if (message.req) message.req.params = params;
          return endpoint.scope;
        },
        route: (message) => routeName(base, matchOf(message).endpoint),
      },
      async (message) => {
        const { endpoint, params } = matchOf(message);
        const farm = await access.farm();
        return outcomeOf(await endpoint.handle(callOfMessage(farm, message, params, closing.signal)));
      },
    );
  }
  RED.nodes.registerType('fabrication-api', FabricationApi);
};
