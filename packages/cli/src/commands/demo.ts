import { Failure, type Refusal } from '@sallyport/model';
import { Command } from 'commander';
import { type Administration, administers } from '../administration.ts';
import { hierarchyRecipe, pinnedRecipe } from '../demonstration/certificate-recipes.ts';
import { refusalText } from '../explanation-text.ts';
import type { Surroundings } from '../invocation.ts';
import { withExample } from '../options.ts';
import { createProgress } from '../progress.ts';
import { type ClientOptions, serverOfClient, withClientOptions } from './client-options.ts';

/** Own names, so that nothing of anybody's is touched. */
const ORGANISATION = 'certificates.demo';
const TYPE = 'meter';
const DEVICES = ['meter-1', 'meter-2'] as const;

export function demoCommand(surroundings: Surroundings): Command {
  const command = new Command('demo').description('Walks that show a scheme step by step, on a running server');
  const certificates = withClientOptions(command.command('certificates'))
    .description('A hierarchy of authorities, then a pinned pair: made, shown, used with mutual TLS, and revoked')
    .option('--keep', 'leave the organisation of the demonstration there');
  withExample(certificates, 'sallyport demo certificates').action(
    administers(surroundings, async (administration, options: ClientOptions & { keep?: boolean }) => {
      const { management, terminal, output } = administration;
      const say = (text: string) => output.line(text, { text });
      await clear(administration);
      await management.organisations.create({ id: ORGANISATION, name: 'Demonstration of certificates' });
      try {
        await management.types.create({
          organisation: ORGANISATION,
          id: TYPE,
          class: 'device',
          security: 'tls-certificate',
        });
        for (const id of DEVICES) {
          await management.devices.create({ organisation: ORGANISATION, type: TYPE, id, withoutToken: true });
        }
        const common = {
          management,
          server: serverOfClient({ ...administration.options, ...options }),
          organisation: ORGANISATION,
          progress: createProgress(terminal),
          now: Date.now,
          say,
          explain: (refusal: Refusal) => output.line(refusalText(refusal), refusal),
        };
        say('First recipe: a hierarchy of authorities\n');
        await hierarchyRecipe({ ...common, device: { type: TYPE, id: DEVICES[0] } });
        say('\nSecond recipe: a pinned pair that the device signs itself\n');
        await pinnedRecipe({ ...common, device: { type: TYPE, id: DEVICES[1] } });
        say('\nAll of it held.');
      } finally {
        if (options.keep !== true) await clear(administration);
      }
    }),
  );
  return command;
}

/** Removes what the demonstration made, also what one before it left. */
async function clear({ management }: Administration): Promise<void> {
  const gone = (failure: unknown) => {
    if (!(failure instanceof Failure) || failure.code !== 'not_found') throw failure;
  };
  for (const id of DEVICES) await management.devices.remove({ organisation: ORGANISATION, type: TYPE, id }).catch(gone);
  await management.types.remove({ organisation: ORGANISATION, id: TYPE }).catch(gone);
  await management.organisations.remove(ORGANISATION).catch(gone);
}
