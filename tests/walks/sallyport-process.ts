import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** The command as it is installed. */
export const SALLYPORT = fileURLToPath(new URL('../../packages/cli/bin/sallyport.js', import.meta.url));

/** A program that runs, with what it has written so far. */
export class RunningProgram {
  readonly child: ChildProcess;
  /** Resolves with the exit code, or null if a signal ended it. */
  readonly exited: Promise<number | null>;
  out = '';
  err = '';
  readonly #waiting = new Set<() => void>();

  constructor(command: string, args: readonly string[], stdin?: string) {
    // Without CI a terminal would be animated; with it the output is the same everywhere.
    this.child = spawn(command, args, { stdio: 'pipe', env: { ...process.env, CI: '1' } });
    this.child.stdin?.end(stdin);
    this.child.stdout?.on('data', (chunk) => {
      this.out += chunk;
      for (const check of this.#waiting) check();
    });
    this.child.stderr?.on('data', (chunk) => {
      this.err += chunk;
    });
    this.exited = once(this.child, 'close').then(([code]) => code as number | null);
  }

  /** Resolves when standard output holds the text; rejects if the program ends before. */
  async says(text: string): Promise<void> {
    const said = new Promise<void>((resolve) => {
      const check = () => {
        if (!this.out.includes(text)) return;
        this.#waiting.delete(check);
        resolve();
      };
      this.#waiting.add(check);
      check();
    });
    await Promise.race([
      said,
      this.exited.then((code) => {
        if (!this.out.includes(text))
          throw new Error(`ended with ${code} before it said "${text}":\n${this.out}\n${this.err}`);
      }),
    ]);
  }

  end(signal: NodeJS.Signals = 'SIGINT'): Promise<number | null> {
    this.child.kill(signal);
    return this.exited;
  }
}

/** Runs `sallyport` to its end. */
export async function sallyport(args: readonly string[], stdin?: string) {
  const program = new RunningProgram(process.execPath, [SALLYPORT, ...args], stdin);
  const exitCode = await program.exited;
  return { exitCode, out: program.out, err: program.err };
}
