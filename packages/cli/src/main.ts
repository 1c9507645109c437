import { createProgram } from './program.ts';
import { EXIT, reportFailure } from './report-failure.ts';
import { processTerminal } from './terminal.ts';

const terminal = processTerminal();
const program = createProgram({ terminal, now: Date.now });
try {
  await program.parseAsync();
} catch (error) {
  const { text, exitCode } = reportFailure(error, program.opts<{ verbose?: boolean }>().verbose);
  if (text !== '') terminal.err(text);
  process.exitCode = exitCode;
}
// Nothing may keep a finished command alive; output is written before the loop is empty or this turn ends.
process.exitCode ??= EXIT.done;
