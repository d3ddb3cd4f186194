import type { Node, NodeMessage } from 'node-red';
import { asError } from '../lib/model/errors';
import { problemOf } from './http/problem';
import type { FlowMessage } from './http/request';

/**
 * The one place where the input of every node ends. What the work returns becomes the payload; what it throws becomes
 * problem details for an HTTP client (`http response` sends them), or goes to the Catch nodes of the flow.
 *
 * @param work returns the payload, and the HTTP status if it is not 200; undefined sends nothing
 */
export function onInput(
  node: Node,
  work: (message: FlowMessage) => Promise<{ payload: unknown; statusCode?: number } | undefined>,
): void {
  node.on('input', (message, send, done) => {
    const flowMessage = message as FlowMessage;
    work(flowMessage).then(
      (result) => {
        if (result) {
          flowMessage.payload = result.payload;
          if (flowMessage.req) flowMessage.statusCode = result.statusCode ?? 200;
          send(flowMessage as NodeMessage);
        }
        done();
      },
      (thrown: unknown) => {
        if (!flowMessage.req) return done(asError(thrown));
        const problem = problemOf(thrown);
        flowMessage.payload = problem;
        flowMessage.statusCode = problem.status;
        flowMessage.headers = { 'content-type': 'application/problem+json' };
        send(flowMessage as NodeMessage);
        // A client's mistake is the client's to mend; only what is wrong here is reported in the flow.
        if (problem.status >= 500) done(asError(thrown));
        else done();
      },
    );
  });
}
