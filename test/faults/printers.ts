// The simulated printers, in a process of their own: `node printers.js DIRECTORY SPEED COUNT`. Prints one JSON line when
// they are ready. They keep the truth logs that the campaign is judged by.
import { join } from 'node:path';
import { SIMULATOR_MAKES, startSimulator } from '../../lib/simulators';
import { setupOf } from './filament';

async function main(): Promise<void> {
  const [directory = '', speed = '', count = ''] = process.argv.slice(2);
  const simulators = [];
  for (let index = 0; index < Number(count); index++) {
    const make = SIMULATOR_MAKES[index % SIMULATOR_MAKES.length] ?? 'moonraker';
    const number = Math.floor(index / SIMULATOR_MAKES.length) + 1;
    const id = `${make}_${number}`;
    const { options, slots } = setupOf(make, number);
    const simulator = await startSimulator(make, {
      dataDir: join(directory, id),
      speed: Number(speed),
      operator: 'manual',
      name: id,
      loads: Object.fromEntries(slots.map(({ slot, material }) => [slot, material])),
      ...options,
    });
    simulators.push({ id, slots, ...simulator.ready });
  }
  process.stdout.write(`${JSON.stringify(simulators)}\n`);
  process.stdin.on('end', () => process.exit(0)).resume();
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
