import type { SimulatedDevice } from '@sallyport/device/simulator';
import { Failure, REASONS, type SimulatorMisdeedOutcome } from '@sallyport/model';
import { refusedWhat } from '../explanation-text.ts';
import type { Invocation } from '../invocation.ts';
import { createOutput, type Output } from '../output.ts';
import { UsageError } from '../report-failure.ts';
import type { OfferedMisdeed, OfferedTrial } from './device-page.ts';
import { refusalOf } from './explain-refusal.ts';
import { type Culprit, type Misbehaviour, misbehave } from './misbehave.ts';
import { askForOldFirmware } from './old-firmware.ts';

const AGAINST_THE_SERVER: readonly { readonly id: Misbehaviour; readonly name: string; readonly meaning: string }[] = [
  { id: 'wrong-token', name: 'Come with a wrong token', meaning: 'A token that was never issued.' },
  {
    id: 'name-another-device',
    name: 'Name another device',
    meaning: 'Publishes an event as if it were somebody else of its type.',
  },
  {
    id: 'expired-certificate',
    name: 'Show an expired certificate',
    meaning: 'One that was good for a second. Needs an operator token, and a type that looks at certificates.',
  },
  { id: 'flood', name: 'Flood the server', meaning: 'Five thousand messages as fast as they go.' },
];

/** What the device can be made to do wrong on its page; the last two are wrongs that others do to it. */
export function offeredMisdeeds(call: Invocation, culprit: Culprit): readonly (OfferedMisdeed | OfferedTrial)[] {
  return [
    ...AGAINST_THE_SERVER.map((misdeed) => ({
      ...misdeed,
      run: () =>
        told(call, async (quiet) => {
          const refused = await misbehave(quiet, misdeed.id, culprit);
          const refusal = await refusalOf(call, refused);
          if (!refusal) return { outcome: refused.message, cure: refused.cure };
          const { ticket, reason, steps, cure } = refusal;
          return {
            outcome: '',
            refusal: { ticket, what: refusedWhat(refusal), meaning: REASONS[reason].meaning, steps, cure },
          };
        }),
    })),
    {
      id: 'replay-command',
      name: 'Replay a command',
      meaning: 'The last signed command that it followed comes again, as if somebody had recorded it.',
      asItRuns: true,
      run: (device) => told(call, () => replayed(device)),
    },
    {
      id: 'old-firmware',
      name: 'Offer old firmware',
      meaning: 'Asks for a release that is older than what runs. Needs --flash, two releases and an operator token.',
      asItRuns: true,
      run: (device) =>
        told(call, async (quiet) => {
          const { message, cure } = await askForOldFirmware(quiet, device, culprit);
          return { outcome: `The device refused it, as it must: ${message}`, cure };
        }),
    },
  ];
}

async function replayed(device: SimulatedDevice): Promise<Omit<SimulatorMisdeedOutcome, 'name'>> {
  if (!(await device.replay())) {
    throw new UsageError(
      'It has followed no signed command yet.',
      'Start it with --follow APPLICATION, and send it a signed command from the application desk.',
    );
  }
  const met = device.state.commands.at(-1);
  if (met?.valid) throw new Failure('demonstration_failed', 'The device followed a replayed command.');
  return { outcome: `The device ignored it, as it must: ${met?.why}` };
}

/** What was said on the way comes before the outcome; a failure is an outcome too. */
async function told(
  call: Invocation,
  work: (quiet: Invocation & { readonly output: Output }) => Promise<Omit<SimulatorMisdeedOutcome, 'name'>>,
): Promise<Omit<SimulatorMisdeedOutcome, 'name'>> {
  const said: string[] = [];
  const keep = (text: string): void => void said.push(text);
  const output = createOutput({ ...call.terminal, out: keep, err: keep }, false);
  const whole = (last: string) => [...said, last].filter((text) => text !== '').join('\n');
  try {
    const done = await work({ ...call, output });
    return { ...done, outcome: whole(done.outcome) };
  } catch (error) {
    if (error instanceof UsageError) return { outcome: whole(error.message), cure: error.cure };
    if (!(error instanceof Failure)) throw error;
    return { outcome: whole(error.message), cure: error.cure };
  }
}
