import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { embeddedPostgres, embeddedPostgresUrl } from './servers';

/** A separate database on the embedded server, which can be backed up and restored while no client is connected. */
export class OwnDatabase {
  readonly name = `own_${randomUUID().replaceAll('-', '')}`;
  #backups = 0;

  async create(): Promise<this> {
    await this.#run(`CREATE DATABASE ${this.name}`);
    return this;
  }

  async url(): Promise<string> {
    return (await embeddedPostgresUrl()).replace('/postgres?', `/${this.name}?`);
  }

  /** Copies it. Returns the name of the copy. */
  async backUp(): Promise<string> {
    const copy = `${this.name}_${++this.#backups}`;
    await this.#run(`CREATE DATABASE ${copy} TEMPLATE ${this.name}`);
    return copy;
  }

  /** Restores it from a copy, even while clients are connected. */
  async putBack(copy: string): Promise<void> {
    await this.#run(`DROP DATABASE ${this.name} WITH (FORCE)`);
    await this.#run(`CREATE DATABASE ${this.name} TEMPLATE ${copy}`);
  }

  /** Runs a statement in it, or in a copy. */
  async query<Row extends object>(sql: string, copy = this.name): Promise<Row[]> {
    const client = new Client({ ...(await embeddedPostgres()), database: copy });
    await client.connect();
    try {
      return (await client.query<Row>(sql)).rows;
    } finally {
      await client.end();
    }
  }

  async drop(): Promise<void> {
    for (; this.#backups > 0; this.#backups--) await this.#run(`DROP DATABASE ${this.name}_${this.#backups}`);
    await this.#run(`DROP DATABASE IF EXISTS ${this.name} WITH (FORCE)`);
  }

  async #run(sql: string): Promise<void> {
    await this.query(sql, 'postgres');
  }
}
