import { SimulatedDevice } from '@sallyport/device/simulator';
import { Failure } from '@sallyport/model';
import { Command, Option } from 'commander';
import { invocation, type Surroundings } from '../invocation.ts';
import { countOption, durationOption, portOption } from '../option-values.ts';
import { withExample } from '../options.ts';
import { UsageError } from '../report-failure.ts';
import { askForCode } from '../simulation/ask-code.ts';
import { type DeviceName, type FlashOptions, flashOf, proofOf } from '../simulation/build-device.ts';
import type { DevicePageOptions } from '../simulation/device-page.ts';
import { showRefusal } from '../simulation/explain-refusal.ts';
import { MISBEHAVIOURS, type Misbehaviour, misbehave } from '../simulation/misbehave.ts';
import { askForOldFirmware } from '../simulation/old-firmware.ts';
import { type ProtectionChoice, protectionOf } from '../simulation/protection-of.ts';
import { serveDevicePage } from '../simulation/serve-device-page.ts';
import { eventShower } from '../simulation/show-event.ts';
import { deviceReference } from '../thing-names.ts';
import { serverOfClient, tokenOfClient, withClientOptions } from './client-options.ts';
import { fleetCommand } from './simulate-fleet.ts';

interface SimulateOptions extends FlashOptions, ProtectionChoice {
  readonly every: number;
  readonly count?: number;
  readonly update?: string | true;
  readonly misbehave?: Misbehaviour | 'old-firmware' | 'replay-command';
  readonly ui?: boolean;
  readonly uiPort: number;
}

export function simulateCommand(surroundings: Surroundings): Command {
  const command = new Command('simulate').description('Stand in for a device, or for a fleet of them');
  deviceCommand(command, surroundings);
  fleetCommand(command, surroundings);
  return command;
}

function deviceCommand(command: Command, surroundings: Surroundings): void {
  const device = withClientOptions(command.command('device'))
    .description('Start, connect, send acceleration, motion and position as a device, and show what happens to it')
    .argument('<device>', 'ORGANISATION/TYPE/ID')
    .option('--username <name>', 'prove it by user name and password')
    .option('--password-file <file>', 'with --username: the password; else from standard input')
    .option('--certificate <file>', 'prove it by this certificate, with its chain, in PEM')
    .option('--certificate-key <file>', 'with --certificate: its key in PEM')
    .option('--flash <folder>', 'its memory: it then starts along its boot chain and takes firmware')
    .option('--root <file>', 'with --flash: pin this root role when the device is made; else the one of the server')
    .addOption(new Option('--https-port <port>', 'with --flash: where firmware comes from').argParser(portOption))
    .addOption(
      new Option('--enrolment-port <port>', 'with --flash: where a certificate is renewed').argParser(portOption),
    )
    .addOption(
      new Option('--firmware-over <way>', 'with --flash: how firmware comes')
        .choices(['https', 'mqtt'])
        .default('https'),
    )
    .option('--update [version]', 'with --flash: look for firmware after the start; without a version the newest')
    .option('--follow <application...>', 'follow only commands that these applications have signed')
    .option('--identity <file>', 'its identity: signs refusals, opens what is sealed for it, seals')
    .option(
      '--seal-for <application...>',
      'with --identity: seal readings for these applications, so that nobody else reads them',
    )
    .addOption(
      new Option('--every <time>', 'pause between two readings').argParser(durationOption).default(5_000, '5s'),
    )
    .option('--ui', 'show the device on a page in the browser of this machine')
    .addOption(
      new Option('--ui-port <port>', 'with --ui: port of the page').argParser(portOption).default(0, 'a free one'),
    )
    .addOption(new Option('--count <readings>', 'end after so many').argParser(countOption))
    .addOption(
      new Option('--misbehave <how>', 'do something wrong, and show the refusal with its explanation').choices([
        ...MISBEHAVIOURS,
        'old-firmware',
        'replay-command',
      ]),
    )
    .action(async (text: string, _options, self: Command) => {
      const call = invocation(surroundings, self);
      const options = self.optsWithGlobals<SimulateOptions>();
      const name = wholeName(text);
      const server = serverOfClient(options);
      const wrong = options.misbehave;
      const culprit = { ...name, server, token: () => tokenOfClient(call, options, name.id) };
      if (wrong !== undefined && wrong !== 'old-firmware' && wrong !== 'replay-command') {
        return showRefusal(call, await misbehave(call, wrong, culprit));
      }
      const own = await proofOf(call, options, name.id);
      const made = await flashOf(options, name, own);
      if (made?.made) call.output.note(`Made the device in ${options.flash}: its ROM holds the root of the firmware.`);
      const { output, terminal } = call;
      const { every, sealFor } = options;
      const protection = await protectionOf(call, options, name.organisation);
      const follows = protection?.applications?.map(({ application }) => application);
      const build: DevicePageOptions['build'] = (proof, enterCode) =>
        new SimulatedDevice({
          ...name,
          server,
          proof,
          every,
          now: Date.now,
          random: Math.random,
          enterCode,
          ...(protection && { protection }),
          ...(made && { flash: made.flash }),
          ...(made?.source && { source: made.source }),
          ...(made?.renew && { renew: made.renew }),
        });
      if (options.ui)
        return serveDevicePage(call, { culprit, port: options.uiPort, proof: own, build, follows, sealsFor: sealFor });
      const simulated = build(own, (status) => askForCode(terminal, status));
      simulated.on(eventShower(output));
      try {
        await simulated.start();
        if (wrong === 'replay-command') return await replayCommand(call, simulated, options.follow);
        if (wrong === 'old-firmware') {
          const rejected = await askForOldFirmware(call, simulated, name);
          output.note('The device refused it, as it must.');
          return await showRefusal(call, rejected);
        }
        if (options.update !== undefined) await simulated.update(options.update === true ? undefined : options.update);
        output.note('Ctrl-C ends it.');
        await ended(simulated, options.count, terminal.stop);
      } catch (error) {
        if (error instanceof Failure && simulated.state.connection === 'refused') await showRefusal(call, error);
        throw error;
      } finally {
        await simulated.stop();
      }
    });
  withExample(
    device,
    'sallyport simulate device demo/pump/pump-7 --token-file pump-7.token',
    'sallyport simulate device demo/pump/pump-7 --token-file pump-7.token --flash ./pump-7',
    'sallyport simulate device demo/pump/pump-7 --token-file pump-7.token --ui',
    'sallyport simulate device demo/pump/pump-7 --token-file pump-7.token --misbehave name-another-device',
  );
}

function wholeName(text: string): DeviceName {
  const { organisation, type, id } = deviceReference(text);
  if (organisation !== undefined && id !== undefined) return { organisation, type, id };
  throw new UsageError(
    `"${text}" does not name a device wholly.`,
    'Write ORGANISATION/TYPE/ID, for example demo/pump/pump-7.',
  );
}

/** Waits for a signed command, and lets the device meet it once more. */
async function replayCommand(
  { output, terminal }: ReturnType<typeof invocation>,
  simulated: SimulatedDevice,
  follow: readonly string[] | undefined,
): Promise<void> {
  if (!follow)
    throw new UsageError('A device that follows every command follows a replay too.', 'Add --follow APPLICATION.');
  output.note(`Waiting for a command that ${follow.join(' or ')} has signed …`);
  const followed = new Promise<void>((resolve) => {
    terminal.stop.addEventListener('abort', () => resolve(), { once: true });
    simulated.on((event) => {
      if (event.kind === 'command' && event.entry.valid && event.entry.why.startsWith('signed by')) resolve();
    });
  });
  await followed;
  output.note('The same bytes come again, as if somebody had recorded them …');
  if (!(await simulated.replay())) return;
  const last = simulated.state.commands.at(-1);
  if (last?.valid) throw new Failure('demonstration_failed', 'The device followed a replayed command.');
  output.note('The device ignored it.');
}

/** Resolves after so many readings, or when the person or the server ends it. */
function ended(simulated: SimulatedDevice, count: number | undefined, stop: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const enough = () => count !== undefined && simulated.state.sent.length >= count;
    if (enough() || stop.aborted) return resolve();
    stop.addEventListener('abort', () => resolve(), { once: true });
    let seen = simulated.state.sent.length;
    simulated.on((event) => {
      if (event.kind === 'sent' && ++seen >= (count ?? Number.POSITIVE_INFINITY)) resolve();
      if (event.kind === 'problem' && simulated.state.connection === 'refused') reject(event.failure);
    });
  });
}
