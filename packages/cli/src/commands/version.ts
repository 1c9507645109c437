import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { invocation, type Surroundings } from '../invocation.ts';
import { withExample } from '../options.ts';

/** The version of this program, as in its package. */
export function programVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

export function versionCommand(surroundings: Surroundings): Command {
  const command = new Command('version')
    .description('Show the version of this program and of Node')
    .action((_, self) => {
      const versions = { sallyport: programVersion(), node: process.versions.node };
      invocation(surroundings, self).output.document(versions);
    });
  return withExample(command, 'sallyport version');
}
