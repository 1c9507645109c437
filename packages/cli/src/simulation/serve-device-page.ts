import type { SimulatedProof } from '@sallyport/device/simulator';
import { clientIdOf, Failure, REASONS } from '@sallyport/model';
import { refusedWhat } from '../explanation-text.ts';
import type { Invocation } from '../invocation.ts';
import { createOutput } from '../output.ts';
import { openPage } from '../pages/page-server.ts';
import { DevicePage, type DevicePageOptions, type OfferedMisdeed } from './device-page.ts';
import { refusalOf } from './explain-refusal.ts';
import { type Culprit, type Misbehaviour, misbehave } from './misbehave.ts';
import { offeredProofs } from './offered-proofs.ts';

const MISDEEDS: readonly { readonly id: Misbehaviour; readonly name: string; readonly meaning: string }[] = [
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

export interface ServedDevice {
  readonly culprit: Culprit;
  readonly port: number;
  readonly proof: SimulatedProof;
  readonly build: DevicePageOptions['build'];
  readonly follows: readonly string[] | undefined;
  readonly sealsFor: readonly string[] | undefined;
}

/** Shows the device on a page of this machine, until the person has enough. */
export async function serveDevicePage(
  call: Invocation,
  { culprit, port, proof, build, follows, sealsFor }: ServedDevice,
): Promise<void> {
  const { output, terminal, now } = call;
  const { organisation, type, id, server } = culprit;
  let changed = (): void => {};
  const device = new DevicePage({
    clientId: clientIdOf({ kind: 'device', organisation, type, id }),
    server: `${server.host}:${server.port ?? 8883}`,
    proofs: offeredProofs(proof),
    misdeeds: MISDEEDS.map((misdeed) => ({ ...misdeed, run: () => wrongdoing(call, misdeed.id, culprit) })),
    build,
    follows,
    sealsFor,
    now,
    changed: () => changed(),
  });
  const page = await openPage({
    page: 'device',
    port,
    document: () => device.document(),
    actions: {
      start: (request) => device.start(request),
      stop: () => device.stop(),
      unlock: (request) => device.unlock(request),
      seal: (request) => device.seal(request),
      misbehave: (request) => device.misbehave(request),
    },
  });
  changed = () => page.changed();
  output.line(page.url, { url: page.url });
  output.note('Open this address in a browser of this machine. Ctrl-C ends the device.');
  await new Promise<void>((resolve) => {
    if (terminal.stop.aborted) resolve();
    terminal.stop.addEventListener('abort', () => resolve(), { once: true });
  });
  await device.stop();
  await page.close();
}

/** What `--misbehave` shows, for the page. */
async function wrongdoing(call: Invocation, id: Misbehaviour, culprit: Culprit): ReturnType<OfferedMisdeed['run']> {
  const said: string[] = [];
  const keep = (text: string): void => void said.push(text);
  const output = createOutput({ ...call.terminal, out: keep, err: keep }, false);
  try {
    const refused = await misbehave({ ...call, output }, id, culprit);
    const refusal = await refusalOf(call, refused);
    if (!refusal) return { outcome: [...said, refused.message].join('\n'), cure: refused.cure };
    const { ticket, reason, steps, cure } = refusal;
    const shown = { ticket, what: refusedWhat(refusal), meaning: REASONS[reason].meaning, steps, cure };
    return { outcome: said.join('\n'), refusal: shown };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { outcome: [...said, error.message].join('\n'), cure: error.cure };
  }
}
