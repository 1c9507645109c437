import type { DeviceName } from '@sallyport/application/management';
import { Command } from 'commander';
import { type Administration, administers } from '../administration.ts';
import type { Surroundings } from '../invocation.ts';
import { withExample, withOrganisation } from '../options.ts';

/** `sallyport device enrolment-code`: a new code, or the end of the one that was made before. */
export function enrolmentCodeCommand(
  surroundings: Surroundings,
  options: {
    readonly noun: 'device' | 'gateway';
    readonly example: string;
    named(administration: Administration, text: string): Promise<DeviceName>;
  },
): Command {
  const { noun, example, named } = options;
  const command = withOrganisation(new Command('enrolment-code'))
    .argument(`<${noun}>`, 'TYPE/ID')
    .description(`Make a code with which the ${noun} fetches a certificate over EST, once; one of before ends`)
    .option('--expires-in <time>', 'how long it may be used, 30d at most; 24h if left out')
    .option('--revoke', 'end the code of before instead');
  return withExample(
    command,
    `sallyport ${noun} enrolment-code ${example} --expires-in 1h`,
    `sallyport ${noun} enrolment-code ${example} --revoke`,
  ).action(
    administers(
      surroundings,
      async (administration, text: string, given: { readonly expiresIn?: string; readonly revoke?: boolean }) => {
        const { management, output } = administration;
        const name = await named(administration, text);
        if (given.revoke) {
          await management.enrolment.revokeCode(name);
          output.text(`Ended the enrolment code of ${text}.`, { revoked: text });
          return;
        }
        const { expiresIn } = given;
        output.document(await management.enrolment.createCode(name, expiresIn === undefined ? {} : { expiresIn }));
        output.note('Keep the code now: it cannot be shown again.');
      },
    ),
  );
}
