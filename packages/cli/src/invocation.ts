import type { Command } from 'commander';
import { createOutput, type Output } from './output.ts';
import type { Terminal } from './terminal.ts';

/** What every command takes, before or after its own arguments. */
export interface GlobalOptions {
  readonly json?: boolean;
  readonly verbose?: boolean;
  readonly dataDir: string;
  readonly server?: string;
  readonly operatorTokenFile?: string;
  readonly ca?: string;
}

/** What a command needs from its surroundings. */
export interface Surroundings {
  readonly terminal: Terminal;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** One call of a command. */
export interface Invocation extends Surroundings {
  readonly options: GlobalOptions;
  readonly output: Output;
}

/** Joins the surroundings with the options that are common to all commands. */
export function invocation(surroundings: Surroundings, command: Command): Invocation {
  const options = command.optsWithGlobals<GlobalOptions>();
  return { ...surroundings, options, output: createOutput(surroundings.terminal, options.json === true) };
}
