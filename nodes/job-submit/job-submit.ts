import type { Node, NodeAPI } from 'node-red';
import { isUpload, receiveFile } from '../../lib/api/upload';
import { submitJob } from '../../lib/jobs/submit';
import { storeFile } from '../../lib/shared-files/take-file';
import { type FarmNodeDefinition, useFarm } from '../farm-user';
import { actorOf, bodyOf, clientOf, headerOf } from '../http/request';
import { onInput } from '../input';

export = (RED: NodeAPI): void => {
  function JobSubmit(this: Node, definition: FarmNodeDefinition): void {
    RED.nodes.createNode(this, definition);
    const access = useFarm(RED, this, definition);
    onInput(this, { access, scope: 'submit' }, async (message) => {
      const farm = await access.farm();
      const request = message.req;
      if (isUpload(request)) {
        await farm.uploadLimit.take(clientOf(message));
        const payload = await receiveFile(request, (stream, name) => storeFile(farm, stream, name));
        return { payload, statusCode: 201 };
      }
      const key = headerOf(message, 'idempotency-key');
      return { payload: await submitJob(farm, bodyOf(message), actorOf(message), key), statusCode: 201 };
    });
  }
  RED.nodes.registerType('job-submit', JobSubmit);
};
