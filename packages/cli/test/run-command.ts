import { createProgram } from '../src/program.ts';
import { reportFailure } from '../src/report-failure.ts';
import { recordingTerminal } from './recording-terminal.ts';

/** Runs one command line as `main.ts` does, in this process. */
export async function runCommand(args: readonly string[], stdin = '') {
  const { terminal, out, err } = recordingTerminal(stdin);
  const program = createProgram({ terminal, now: Date.now });
  let exitCode = 0;
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    const report = reportFailure(error);
    if (report.text !== '') err.push(report.text);
    exitCode = report.exitCode;
  }
  return { exitCode, out: out.join('\n'), err: err.join('\n') };
}
