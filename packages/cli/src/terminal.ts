import { confirm, password } from '@clack/prompts';

/** Where a command reads and writes. Tests pass their own. */
export interface Terminal {
  /** Standard output: results only. */
  out(text: string): void;
  /** Standard error: messages for people. */
  err(text: string): void;
  /** Asks without an echo; absent where nobody sits at a terminal, so that a script never waits for an answer. */
  readonly askSecret?: (question: string) => Promise<string>;
  /** Asks for yes or no; absent like {@link askSecret}. */
  readonly confirm?: (question: string) => Promise<boolean>;
  /** All of standard input. */
  readStdin(): Promise<string>;
  /** True if a person watches standard error, on a screen that can be animated. */
  readonly interactive: boolean;
  /** Aborted when the person asks to stop (Ctrl-C). */
  readonly stop: AbortSignal;
}

const LARGEST_INPUT = 1024 * 1024;
const IMPATIENCE = 1_000;
/** An animation in fewer columns would break its own lines. */
const NARROWEST = 40;

/**
 * The terminal of this process. The first SIGINT or SIGTERM aborts `stop`; one that comes a second
 * later ends the process at once, as does the first if no command has asked for `stop`.
 */
export function processTerminal(): Terminal {
  const stopping = new AbortController();
  let since = 0;
  let heeded = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      // Nobody waits for the wish: there is nothing to end in order.
      if (!heeded) process.exit(130);
      // npm and process managers may hand the same signal on twice; that is no second wish.
      if (stopping.signal.aborted && performance.now() - since > IMPATIENCE) process.exit(130);
      if (!stopping.signal.aborted) since = performance.now();
      stopping.abort();
    });
  }
  // `sallyport audit | head` closes the pipe early; that is no defect.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
  return {
    out: (text) => void process.stdout.write(`${text}\n`),
    err: (text) => void process.stderr.write(`${text}\n`),
    async readStdin() {
      const chunks: Buffer[] = [];
      let length = 0;
      for await (const chunk of process.stdin) {
        const bytes = Buffer.from(chunk);
        length += bytes.length;
        if (length > LARGEST_INPUT) break;
        chunks.push(bytes);
      }
      return Buffer.concat(chunks).toString('utf8');
    },
    interactive: process.stderr.isTTY === true && process.stderr.columns >= NARROWEST && process.env.CI === undefined,
    ...(process.stdin.isTTY && process.stderr.isTTY ? { askSecret, confirm: askWhether } : {}),
    get stop() {
      heeded = true;
      return stopping.signal;
    },
  };
}

async function askSecret(question: string): Promise<string> {
  const answer = await password({ message: question, output: process.stderr });
  return typeof answer === 'string' ? answer : stopped();
}

async function askWhether(question: string): Promise<boolean> {
  const answer = await confirm({ message: question, initialValue: false, output: process.stderr });
  return typeof answer === 'boolean' ? answer : stopped();
}

/** Ctrl-C at a question is a wish to stop. */
function stopped(): never {
  process.exit(130);
}
