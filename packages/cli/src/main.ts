import { runProgram } from './run-program.ts';
import { processTerminal } from './terminal.ts';

const terminal = processTerminal();
// Nothing may keep a finished command alive; output is written before the loop is empty or this turn ends.
process.exitCode = await runProgram(process.argv.slice(2), { terminal, now: Date.now });
