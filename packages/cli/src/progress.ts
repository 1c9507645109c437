import { spinner } from '@clack/prompts';
import type { Terminal } from './terminal.ts';

/** Shows that something takes a moment, and how it ended. */
export interface Progress {
  /** Runs the work, which may say how far it is; its answer may name what was done, else the title stays. */
  step<T>(title: string, work: (say: (text: string) => void) => Promise<T>, done?: (result: T) => string): Promise<T>;
}

/** A spinner where a person watches, else plain lines that read well in a log. */
export function createProgress(terminal: Terminal): Progress {
  return terminal.interactive ? spinnerProgress() : lineProgress(terminal);
}

function spinnerProgress(): Progress {
  return {
    async step(title, work, done) {
      // Standard output is for results, also while a person watches.
      const indicator = spinner({ output: process.stderr });
      indicator.start(title);
      try {
        const result = await work((text) => indicator.message(`${title}: ${text}`));
        indicator.stop(done?.(result) ?? title);
        return result;
      } catch (error) {
        indicator.error(title);
        throw error;
      }
    },
  };
}

function lineProgress(terminal: Terminal): Progress {
  return {
    async step(title, work, done) {
      terminal.err(`${title} …`);
      const result = await work((text) => terminal.err(`  ${text}`));
      terminal.err(`  ${done?.(result) ?? 'done'}`);
      return result;
    },
  };
}
