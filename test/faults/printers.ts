// The simulated printers, in a process of their own: `node printers.js DIRECTORY SPEED COUNT`. Prints one JSON line when
// they are ready. They keep the truth that the campaign is judged by.
import { join } from 'node:path';
import { SIMULATOR_MAKES, startSimulator } from '../../lib/simulators';

async function main(): Promise<void> {
  const [directory = '', speed = '', count = ''] = process.argv.slice(2);
  const simulators = [];
  for (let index = 0; index < Number(count); index++) {
    const make = SIMULATOR_MAKES[index % SIMULATOR_MAKES.length] ?? 'moonraker';
    const id = `${make}_${Math.floor(index / SIMULATOR_MAKES.length) + 1}`;
    const simulator = await startSimulator(make, {
      dataDir: join(directory, id),
      speed: Number(speed),
      operator: 'manual',
      name: id,
    });
    simulators.push({ id, ...simulator.ready });
  }
  process.stdout.write(`${JSON.stringify(simulators)}\n`);
  process.stdin.on('end', () => process.exit(0)).resume();
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
