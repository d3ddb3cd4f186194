// `npm start`: a whole farm on this machine. Node-RED with the pipeline, an embedded database and broker (or those that
// DATABASE_URL and AMQP_URL name), and three simulated printers.
import { prepare } from './prepare.mjs';

prepare();
const { run } = await import('./farm.mjs');
await run();
