import type { Command } from 'commander';
import { createProgram, everyCommand, pathOf } from './program.ts';
import type { Terminal } from './terminal.ts';

/** One command, as `docs/reference/cli.md` shows it. */
export interface CommandDescription {
  /** For example `sallyport device add`. */
  readonly path: string;
  readonly description: string;
  /** For example `sallyport device add [options] <device>`. */
  readonly usage: string;
  readonly arguments: readonly { readonly name: string; readonly description: string }[];
  readonly options: readonly { readonly flags: string; readonly description: string }[];
  readonly examples: readonly string[];
}

/** Every command with its arguments, options and examples. The first one is `sallyport` itself with the options of all. */
export function describeCommands(): readonly CommandDescription[] {
  const silent: Terminal = {
    out: () => {},
    err: () => {},
    readStdin: async () => '',
    interactive: false,
    stop: new AbortController().signal,
  };
  return everyCommand(createProgram({ terminal: silent, now: () => 0 })).map(describe);
}

function describe(command: Command): CommandDescription {
  const path = pathOf(command);
  const help = command.createHelp();
  const plain = (text: string) => text.replace(/\s+/g, ' ').trim();
  return {
    path,
    description: command.description(),
    usage: plain(`${path} ${command.usage()}`),
    arguments: help
      .visibleArguments(command)
      .map((each) => ({ name: help.argumentTerm(each), description: help.argumentDescription(each) })),
    options: help
      .visibleOptions(command)
      .filter(({ long }) => long !== '--help')
      .map((each) => ({ flags: help.optionTerm(each), description: help.optionDescription(each) })),
    examples: examplesOf(command),
  };
}

/** The examples are part of the help text, so that both can never differ. */
function examplesOf(command: Command): string[] {
  const written: string[] = [];
  const before = command.configureOutput();
  command.configureOutput({ ...before, writeOut: (text) => written.push(text) });
  command.outputHelp();
  command.configureOutput(before);
  return [...written.join('').matchAll(/^ {2}\$ (.*)$/gm)].map(([, line = '']) => line);
}
