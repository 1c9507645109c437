import { createInterface } from 'node:readline/promises';
import type { UnlockStatus } from '@sallyport/model';
import type { Terminal } from '../terminal.ts';

/** The one-time code that a person types, or that comes on standard input; nothing if it ends or the person stops. */
export async function askForCode(terminal: Terminal, { status, digits }: UnlockStatus): Promise<string | undefined> {
  const lines = createInterface({ input: process.stdin });
  const question = status === 'wrong' ? 'That was not it. Enter the code again:' : 'Enter the code that the owner got:';
  terminal.err(digits === undefined ? question : `${question} (${digits} digits)`);
  const stopped = new Promise<undefined>((resolve) => {
    terminal.stop.addEventListener('abort', () => resolve(undefined), { once: true });
    lines.once('close', () => resolve(undefined));
  });
  const line = new Promise<string>((resolve) => lines.once('line', (text) => resolve(text.trim())));
  const code = await Promise.race([line, stopped]);
  lines.close();
  return code;
}
