import { runProgram } from '../src/run-program.ts';
import { recordingTerminal } from './recording-terminal.ts';

/** Runs one command line as `main.ts` does, in this process. */
export async function runCommand(args: readonly string[], stdin = '') {
  const { terminal, out, err } = recordingTerminal(stdin);
  const exitCode = await runProgram(args, { terminal, now: Date.now });
  return { exitCode, out: out.join('\n'), err: err.join('\n') };
}
