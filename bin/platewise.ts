#!/usr/bin/env node
import { asError, PlatewiseError } from '../lib/model/errors';
import { type Command, EXIT, UsageError } from './command';

/** The commands by name; each is loaded only when it is used. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  backup: async () => (await import('./commands/backup.js')).backup,
  discover: async () => (await import('./commands/discover.js')).discover,
  doctor: async () => (await import('./commands/doctor.js')).doctor,
  keys: async () => (await import('./commands/keys.js')).keys,
  probe: async () => (await import('./commands/probe.js')).probe,
  print: async () => (await import('./commands/print.js')).print,
  restore: async () => (await import('./commands/restore.js')).restore,
  restored: async () => (await import('./commands/restored.js')).restored,
  simulate: async () => (await import('./commands/simulate.js')).simulate,
};

async function overview(): Promise<string> {
  const lines = ['Usage: platewise <command> [options]', '', 'Commands:'];
  for (const [name, load] of Object.entries(COMMANDS)) lines.push(`  ${name.padEnd(12)} ${(await load()).summary}`);
  return [...lines, '', 'platewise <command> --help says more about one of them.', ''].join('\n');
}

async function main(args: string[]): Promise<number> {
  const [name, ...rest] = args;
  if (name === '--help' || name === '-h') {
    process.stdout.write(await overview());
    return EXIT.ok;
  }
  const load = name === undefined ? undefined : COMMANDS[name];
  if (load === undefined) {
    if (name !== undefined) process.stderr.write(`There is no command "${name}".\n\n`);
    process.stderr.write(await overview());
    return EXIT.usage;
  }
  const command = await load();
  if (rest.includes('--help') || rest.includes('-h')) {
    process.stdout.write(command.help);
    return EXIT.ok;
  }
  try {
    return await command.run(rest);
  } catch (error) {
    if (error instanceof UsageError) {
      process.stderr.write(`${error.message}\n\n${command.help}`);
      return EXIT.usage;
    }
    const remedy = error instanceof PlatewiseError ? ` ${error.remedy}` : '';
    process.stderr.write(`${asError(error).message}${remedy}\n`);
    return EXIT.failed;
  }
}

void main(process.argv.slice(2)).then((code) => process.exit(code));
