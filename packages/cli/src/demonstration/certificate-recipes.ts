import type { Management } from '@sallyport/application/management';
import { Link, type LinkOptions, RefusedByServer } from '@sallyport/device';
import { clientIdOf, Failure, type Refusal } from '@sallyport/model';
import {
  createIntermediateAuthority,
  createRootAuthority,
  generateKeyPair,
  issueClientCertificate,
  keyPairToPem,
  readCertificate,
  selfSignedClientCertificate,
} from '@sallyport/trust';
import type { Progress } from '../progress.ts';

/** What a recipe is cooked with. */
export interface RecipeOptions {
  readonly management: Pick<Management, 'authorities' | 'certificates' | 'explainTicket'>;
  readonly server: Pick<LinkOptions, 'host' | 'port' | 'ca'>;
  readonly organisation: string;
  /** A device whose type demands a client certificate. */
  readonly device: { readonly type: string; readonly id: string };
  readonly progress: Progress;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** A line for the person who watches. */
  readonly say: (text: string) => void;
  /** Shows why something was refused. */
  readonly explain: (refusal: Refusal) => void;
}

interface Pair {
  readonly cert: string;
  readonly key: string;
}

const HOUR = 3_600_000;
const PATIENCE = 20_000;

/** The hierarchy: a root of the plant, below it an authority for the device type, below that the device. */
export async function hierarchyRecipe(options: RecipeOptions): Promise<void> {
  const { management, organisation, device, progress, now } = options;
  const root = await progress.step('Making the root of the plant', () =>
    createRootAuthority({ commonName: 'Plant root', now: now(), validity: 24 * HOUR }),
  );
  await show(options, 'root of the plant', root.pem);
  const authority = await progress.step(`Making the authority of the device type ${device.type}`, () =>
    createIntermediateAuthority({
      authority: root,
      commonName: `Devices of type ${device.type}`,
      now: now(),
      validity: 12 * HOUR,
    }),
  );
  await show(options, 'authority of the device type', authority.pem);
  const keys = await generateKeyPair();
  const issued = await progress.step(`Making the certificate of ${device.id}`, () =>
    issueClientCertificate({
      authority,
      publicKey: keys.publicKey,
      commonName: `d:${device.type}:${device.id}`,
      now: now(),
      validity: HOUR,
    }),
  );
  await show(options, 'device', issued.pem);
  const pair = { cert: issued.chainPem, key: await keyPairToPem(keys) };
  await refusedFor(options, pair, 'Before the organisation trusts the root, the device is a stranger');
  await progress.step('Letting the organisation trust the root of the plant', () =>
    management.authorities.add(organisation, root.pem),
  );
  await liveUntil(options, pair, 'Revoking the certificate of the device', () =>
    management.certificates.revokeForeign(organisation, { certificate: issued.pem }),
  );
}

/** The pinned pair: the device signs itself, and the registry knows its one certificate. */
export async function pinnedRecipe(options: RecipeOptions): Promise<void> {
  const { management, organisation, device, progress, now } = options;
  const keys = await generateKeyPair();
  const cert = await progress.step('Making a key pair and a certificate that it signs itself', () =>
    selfSignedClientCertificate({ keys, commonName: device.id, now: now(), validity: HOUR }),
  );
  await show(options, 'device, signed by itself', cert);
  const pair = { cert, key: await keyPairToPem(keys) };
  await refusedFor(options, pair, 'Before it is pinned, the certificate is worth nothing');
  const principal = `device:${organisation}/${device.type}/${device.id}`;
  const pinned = await progress.step(`Pinning it to ${principal}`, () =>
    management.certificates.pin(organisation, { principal, certificate: cert }),
  );
  await liveUntil(options, pair, 'Revoking the pin', () => management.certificates.revoke(organisation, pinned.id));
}

/** Connects with mutual TLS, sends an event, then takes the ground away and waits for the end of the session. */
async function liveUntil(
  options: RecipeOptions,
  pair: Pair,
  title: string,
  takeAway: () => Promise<unknown>,
): Promise<void> {
  const { progress, say } = options;
  const link = await progress.step('Connecting with mutual TLS', () =>
    connect(options, pair, (stage, text) => say(`  ${stage}: ${text}`)),
  );
  try {
    await progress.step('Publishing an event', () =>
      link.publish('iot-2/evt/status/fmt/json', new TextEncoder().encode('{"sealed":false}'), 1),
    );
    const ended = new Promise<string>((resolve, reject) => {
      const timer = setTimeout(() => reject(heldOn('The session went on.')), PATIENCE);
      const end = (text: string) => {
        clearTimeout(timer);
        resolve(text);
      };
      link.on('problem', (failure) => end(failure.message));
      void link.closed.then((failure) => end(failure?.message ?? 'it was closed'));
    });
    await progress.step(title, takeAway);
    await progress.step(
      'Waiting for the session to end',
      () => ended,
      (text) => `The session ended: ${text}`,
    );
  } finally {
    await link.close();
  }
  await refusedFor(options, pair, 'The device comes again, and is not let in');
}

async function refusedFor(options: RecipeOptions, pair: Pair, title: string): Promise<void> {
  const { progress, management, explain } = options;
  const refused = await progress.step(
    title,
    async () => {
      try {
        await (await connect(options, pair)).close();
      } catch (failure) {
        if (failure instanceof RefusedByServer) return failure;
        throw failure;
      }
      throw heldOn('The server let it in.');
    },
    ({ message }) => `Refused, as it must be: ${message}`,
  );
  if (refused.ticket !== undefined) explain(await management.explainTicket(refused.ticket));
}

function connect(
  { server, organisation, device }: RecipeOptions,
  certificate: Pair,
  onStage?: NonNullable<LinkOptions['onStage']>,
): Promise<Link> {
  const clientId = clientIdOf({ kind: 'device', organisation, ...device });
  return Link.open({ ...server, certificate, ...(onStage && { onStage }) }, { clientId });
}

async function show({ say }: RecipeOptions, whose: string, pem: string): Promise<void> {
  const read = await readCertificate(pem);
  if (!read.ok) throw new Failure('internal', read.problem);
  const { subject, issuer, serial, notBefore, notAfter, isAuthority, keyUsages, extendedKeyUsages } = read.value;
  const lines = [
    `subject    ${subject}`,
    `issuer     ${issuer}${issuer === subject ? ' (itself)' : ''}`,
    `serial     ${serial}`,
    `holds      ${new Date(notBefore).toISOString()} to ${new Date(notAfter).toISOString()}`,
    `may        ${[isAuthority ? 'issue certificates' : 'issue nothing', ...(keyUsages ?? []), ...(extendedKeyUsages ?? [])].join(', ')}`,
    `sha-256    ${read.value.fingerprintSha256}`,
  ];
  say(`  Certificate of the ${whose}\n${lines.map((line) => `    ${line}`).join('\n')}`);
}

function heldOn(message: string): Failure {
  return new Failure('demonstration_failed', message);
}
