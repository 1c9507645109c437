import type { DeviceName } from '@sallyport/application/management';
import type { Command } from 'commander';
import QRCode from 'qrcode';
import { type Administration, administers } from '../administration.ts';
import type { Surroundings } from '../invocation.ts';
import { withExample, withOrganisation } from '../options.ts';

interface Holder {
  readonly noun: 'device' | 'gateway';
  readonly example: string;
  readonly named: (administration: Administration, text: string) => Promise<DeviceName>;
}

/** Adds `totp`: the authenticator app of a device's owner. */
export function authenticatorCommand(command: Command, surroundings: Surroundings, { noun, example, named }: Holder) {
  withExample(
    withOrganisation(command.command(`totp <${noun}>`))
      .description('Make the secret of an authenticator app for the owner, shown as a QR code; the one before is void')
      .option('--remove', 'take no codes of an app any more'),
    `sallyport ${noun} totp ${example}`,
  ).action(
    administers(surroundings, async (administration, text: string, { remove }: { remove?: boolean }) => {
      const { management, output } = administration;
      const name = await named(administration, text);
      const { authenticator } = management.devices;
      if (remove) {
        await authenticator.remove(name);
        output.text(`The app of ${name.type}/${name.id} is worth nothing any more.`, { removed: name });
        return;
      }
      const made = await authenticator.create(name);
      const picture = await QRCode.toString(made.uri, { type: 'utf8', errorCorrectionLevel: 'L' });
      output.text(`${picture}\n${made.uri}\nsecret ${made.secret}`, made);
      output.note('Let the owner scan it now: it cannot be shown again. Whoever has it can unlock the device.');
    }),
  );
}
