// Plants each bug of the list in a copy of the sources and checks whether its test catches it.
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { planted } from './planted.mjs';

/** A test that has not ended by then has caught the bug by hanging (ms). */
const limit = 120_000;

/** The messages of PostgreSQL and Node.js for invalid syntax: no test has caught anything then. */
const nonsense =
  /syntax error|could not determine data type|bind message supplies|does not exist|SyntaxError|TransformError/;

/** The files of a checkout that the tests of decisions read. */
const parts = ['lib', 'test', 'migrations', 'profiles', 'nodes', 'package.json', 'tsconfig.json'];

function copyOf(root, directory) {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  for (const part of parts) cpSync(join(root, part), join(directory, part), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'), 'junction');
  return directory;
}

/** Runs tests in a copy. Returns whether they passed, failed in a test, or could not be run. */
function run(directory, tests, environment) {
  return new Promise((resolve) => {
    const mocha = join('node_modules', 'mocha', 'bin', 'mocha.js');
    const options = ['--no-config', '--no-package', '--bail', '--exit', '--timeout', '20000'];
    const child = spawn(process.execPath, ['--require', 'tsx/cjs', mocha, ...options, ...tests], {
      cwd: directory,
      env: { ...process.env, ...environment },
    });
    let out = '';
    child.stdout.on('data', (data) => {
      out += data;
    });
    child.stderr.on('data', (data) => {
      out += data;
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), limit);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      const failed = signal !== null || /\d+ failing/.test(out);
      resolve({ passed: code === 0 && /\d+ passing/.test(out), failed, out });
    });
  });
}

/** The text with the bug in it. @throws Error the source has changed, and the bug must be updated */
function withBug(text, { name, file, before, after }) {
  const found = text.split(before).length - 1;
  if (found !== 1) throw new Error(`"${name}": ${file} contains this ${found} times, not once: ${before}`);
  return text.replace(before, () => after);
}

/**
 * @param words only bugs whose names contain one of them; none: all
 * @returns the number of bugs, and those that no test caught
 */
export async function plant(root, work, environment, words = []) {
  const wanted = planted.filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)));
  for (const one of wanted) withBug(readFileSync(join(root, one.file), 'utf8'), one);
  const tests = [...new Set(wanted.map(({ test }) => test))];
  const missing = tests.filter((test) => !existsSync(join(root, test)));
  if (missing.length > 0) throw new Error(`There is no ${missing.join(', ')}.`);
  const workers = [0, 1].map((number) => copyOf(root, join(work, `planted-${number}`)));
  const sound = await run(workers[0], tests, environment);
  if (!sound.passed) throw new Error(`The tests fail without any bug:\n${sound.out}`);
  const queue = [...wanted];
  const missed = [];
  await Promise.all(
    workers.map(async (directory) => {
      for (let one = queue.shift(); one !== undefined; one = queue.shift()) {
        const path = join(directory, one.file);
        const text = readFileSync(path, 'utf8');
        writeFileSync(path, withBug(text, one));
        const { passed, failed, out } = await run(directory, [one.test], environment);
        writeFileSync(path, text);
        if (!passed && (!failed || nonsense.test(out))) throw new Error(`"${one.name}" cannot be planted:\n${out}`);
        if (passed) missed.push(one);
        console.log(`${passed ? 'MISSED' : 'caught'}: ${one.name} (${one.test})`);
      }
    }),
  );
  for (const directory of workers) rmSync(directory, { recursive: true, force: true });
  return { wanted, missed };
}
