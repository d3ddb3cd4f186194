import type { Node, NodeAPI } from 'node-red';
import { storeFile, submitJob } from '../../lib/coordinator/submit';
import { type FarmNodeDefinition, useFarm } from '../farm-user';
import { actorOf, bodyOf } from '../http/request';
import { onInput } from '../input';
import { isUpload, receiveFile } from './upload';

export = (RED: NodeAPI): void => {
  function JobSubmit(this: Node, definition: FarmNodeDefinition): void {
    RED.nodes.createNode(this, definition);
    const access = useFarm(RED, this, definition);
    onInput(this, async (message) => {
      const farm = await access.farm();
      if (isUpload(message.req)) {
        const payload = await receiveFile(message.req, (stream, name) => storeFile(farm, stream, name));
        return { payload, statusCode: 201 };
      }
      return { payload: await submitJob(farm, bodyOf(message), actorOf(message)), statusCode: 201 };
    });
  }
  RED.nodes.registerType('job-submit', JobSubmit);
};
