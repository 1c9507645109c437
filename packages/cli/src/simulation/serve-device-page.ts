import type { SimulatedProof } from '@sallyport/device/simulator';
import { clientIdOf } from '@sallyport/model';
import type { Invocation } from '../invocation.ts';
import { openPage } from '../pages/page-server.ts';
import { DevicePage, type DevicePageOptions } from './device-page.ts';
import type { Culprit } from './misbehave.ts';
import { offeredMisdeeds } from './offered-misdeeds.ts';
import { offeredProofs } from './offered-proofs.ts';

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
    misdeeds: offeredMisdeeds(call, culprit),
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
