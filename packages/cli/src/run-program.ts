import { programVersion } from './commands/version.ts';
import { createProgram } from './program.ts';
import { EXIT, type ExitCode, reportFailure } from './report-failure.ts';
import type { Terminal } from './terminal.ts';

/**
 * Runs one command line; gives the exit code and never throws. With `--json` an error is a document on standard output too,
 * unless a result stands there already: there is never more than one. Its text is always on standard error.
 */
export async function runProgram(
  args: readonly string[],
  { terminal, now }: { readonly terminal: Terminal; readonly now: () => number },
): Promise<ExitCode> {
  // Not an option of the program: commander would take `--version` from commands that have one of their own.
  if (args.length === 1 && args[0] === '--version') {
    terminal.out(programVersion());
    return EXIT.done;
  }
  let wrote = false;
  const noting: Terminal = {
    out(text) {
      wrote = true;
      terminal.out(text);
    },
    err: (text) => terminal.err(text),
    readStdin: () => terminal.readStdin(),
    interactive: terminal.interactive,
    // Who asks for it says that it will heed it; a copy would ask in the name of every command.
    get stop() {
      return terminal.stop;
    },
  };
  const program = createProgram({ terminal: noting, now });
  try {
    await program.parseAsync(args, { from: 'user' });
    return EXIT.done;
  } catch (error) {
    const { verbose, json } = program.opts<{ verbose?: boolean; json?: boolean }>();
    const { text, exitCode, document } = reportFailure(error, verbose);
    // A command line that could not be read has no options yet; `--json` is in it all the same.
    const asked = json === true || args.includes('--json');
    if (asked && document !== undefined && !wrote) terminal.out(JSON.stringify(document, null, 2));
    if (text !== '') terminal.err(text);
    return exitCode;
  }
}
