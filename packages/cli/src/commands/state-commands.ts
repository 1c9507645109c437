import type { Management } from '@sallyport/application/management';
import type { Command } from 'commander';
import { type Administration, administers } from '../administration.ts';
import type { Surroundings } from '../invocation.ts';
import { withExample } from '../options.ts';

/** A noun that can be suspended, resumed and removed; `N` names one of it in the API. */
export interface StateOptions<N> {
  readonly noun: string;
  readonly argument: string;
  readonly example: string;
  /** Adds the options that are needed to name one of it. */
  readonly naming?: (command: Command) => Command;
  calls(management: Management): {
    suspend(name: N): Promise<object>;
    resume(name: N): Promise<object>;
    remove(name: N): Promise<void>;
  };
  named(administration: Administration, text: string): Promise<N>;
}

/** How a list shows whether something is suspended. */
export function state(row: { readonly suspendedAt?: string }): string {
  return row.suspendedAt === undefined ? 'active' : `suspended ${row.suspendedAt}`;
}

/** Adds `suspend`, `resume` and `remove`. */
export function stateCommands<N>(command: Command, surroundings: Surroundings, options: StateOptions<N>): void {
  const { noun, argument, example, calls, named, naming = (sub) => sub } = options;
  const meanings = {
    suspend: `Refuse the ${noun} until it is resumed; its sessions end`,
    resume: `Undo the suspension of the ${noun}`,
  } as const;
  for (const verb of ['suspend', 'resume'] as const) {
    const sub = naming(command.command(`${verb} <${argument}>`)).description(meanings[verb]);
    withExample(sub, `sallyport ${command.name()} ${verb} ${example}`).action(
      administers(surroundings, async (administration, text: string) => {
        const name = await named(administration, text);
        administration.output.document(await calls(administration.management)[verb](name));
      }),
    );
  }
  const remove = naming(command.command(`remove <${argument}>`)).description(`Remove the ${noun} and its credentials`);
  withExample(remove, `sallyport ${command.name()} remove ${example}`).action(
    administers(surroundings, async (administration, text: string) => {
      const name = await named(administration, text);
      await calls(administration.management).remove(name);
      administration.output.text(`Removed ${noun} ${text}.`, { removed: text });
    }),
  );
}
