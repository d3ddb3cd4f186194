import { type ChannelModel, type ConsumeMessage, connect, type RecoveringChannelModel } from 'amqplib';

/** Listens to `fabrication.status` from outside, on a durable queue, so that it misses nothing while the broker restarts. */
export class StatusListener {
  /** The numbers of each job's events, in the order of arrival. */
  readonly told = new Map<string, number[]>();
  #connection: RecoveringChannelModel | undefined;

  async start(url: string): Promise<void> {
    this.#connection = await connect(url, {
      recovery: {
        initialDelay: 200,
        maxDelay: 1000,
        waitForConnect: true,
        setup: async (model: ChannelModel) => {
          const channel = await model.createChannel();
          channel.on('error', () => undefined);
          await channel.assertExchange('fabrication.status', 'fanout', { durable: true });
          await channel.assertQueue('campaign.status', { durable: true, arguments: { 'x-queue-type': 'quorum' } });
          await channel.bindQueue('campaign.status', 'fabrication.status', '');
          await channel.prefetch(200);
          await channel.consume('campaign.status', (message: ConsumeMessage | null) => {
            if (!message) return;
            this.#note(message.content.toString('utf8'));
            channel.ack(message);
          });
        },
      },
    });
    this.#connection.on('error', () => undefined);
  }

  async stop(): Promise<void> {
    await this.#connection?.close().catch(() => undefined);
  }

  #note(text: string): void {
    let told: unknown;
    try {
      told = JSON.parse(text);
    } catch {
      return; // not one of ours
    }
    const { job_id, job_seq } = (told ?? {}) as { job_id?: string; job_seq?: number };
    if (job_id === undefined || job_seq === undefined) return;
    this.told.set(job_id, [...(this.told.get(job_id) ?? []), Number(job_seq)]);
  }
}
