import { spawn } from 'node:child_process';
import { join } from 'node:path';

/** The arguments for Node.js that run `platewise`: from source or compiled, like the tests. */
export function program(): string[] {
  return __filename.endsWith('.ts')
    ? ['--import=tsx', join(process.cwd(), 'bin', 'platewise.ts')]
    : [join(process.cwd(), 'dist', 'bin', 'platewise.js')];
}

/** Runs `platewise` until it exits. */
export function platewise(
  args: string[],
  environment: Record<string, string> = {},
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [...program(), ...args], { env: { ...process.env, ...environment } });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
}
