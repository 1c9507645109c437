import { randomBytes } from 'node:crypto';
import { connectDevice, Link, type LinkOptions, RefusedByServer } from '@sallyport/device';
import { clientIdOf, Failure } from '@sallyport/model';
import { createCertificateRequest, generateKeyPair, keyPairToPem } from '@sallyport/trust';
import { connectAsOperator } from '../administration.ts';
import type { Invocation } from '../invocation.ts';
import { UsageError } from '../report-failure.ts';

/** What a simulated device can do wrong on purpose. */
export const MISBEHAVIOURS = ['wrong-token', 'expired-certificate', 'name-another-device', 'flood'] as const;
export type Misbehaviour = (typeof MISBEHAVIOURS)[number];

export interface Culprit {
  readonly organisation: string;
  readonly type: string;
  readonly id: string;
  readonly server: Pick<LinkOptions, 'host' | 'port' | 'ca'>;
  readonly token: () => Promise<string>;
}

const FLOOD = 5_000;

/**
 * Does the wrong thing, and answers how the server refused it.
 *
 * @throws Failure `demonstration_failed` if the server let it pass
 */
export async function misbehave(call: Invocation, what: Misbehaviour, culprit: Culprit): Promise<RefusedByServer> {
  try {
    await ATTEMPTS[what](call, culprit);
  } catch (failure) {
    if (!(failure instanceof RefusedByServer)) throw failure;
    call.output.note('Refused, as it must be.');
    return failure;
  }
  throw new Failure('demonstration_failed', `The server let the device do it: ${what}.`, {
    cure: 'Look at the policy and the connection security of the organisation.',
  });
}

const ATTEMPTS: Readonly<Record<Misbehaviour, (call: Invocation, culprit: Culprit) => Promise<void>>> = {
  async 'wrong-token'({ output }, { server, ...name }) {
    output.note('Connecting with a token that was never issued …');
    const device = await connectDevice({ ...server, ...name, token: randomBytes(12).toString('base64url') });
    await device.close();
  },

  async 'name-another-device'({ output }, culprit) {
    const { organisation, type, server, token } = culprit;
    const topic = `iot-2/type/${type}/id/somebody-else/evt/status/fmt/json`;
    output.note(`Publishing to ${topic} …`);
    const link = await Link.open(server, {
      clientId: clientIdOf({ kind: 'device', organisation, type, id: culprit.id }),
      username: 'use-token-auth',
      password: await token(),
    });
    await link.publish(topic, new TextEncoder().encode('{}'), 1).finally(() => link.close());
  },

  async 'expired-certificate'(call, culprit) {
    const { organisation, type, id, server } = culprit;
    const { output } = call;
    const management = connectAsOperator(call.options);
    try {
      const { security } = await management.types.get({ organisation, id: type });
      if (security === undefined || !security.includes('certificate')) {
        throw new UsageError(
          `The device type ${type} does not look at certificates.`,
          `Run \`sallyport type set ${type} --security tls-certificate-or-token\` first.`,
        );
      }
      const keys = await generateKeyPair();
      const csr = await createCertificateRequest({ keys, commonName: id });
      const principal = `device:${organisation}/${type}/${id}`;
      const issued = await management.certificates.issue(organisation, { principal, csr, expiresIn: '1s' });
      output.note('A certificate was issued for one second; waiting until it has expired …');
      const until = Date.parse(issued.certificate.notAfter ?? '') + 1_500;
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, until - Date.now())));
      const certificate = { cert: issued.chainPem, key: await keyPairToPem(keys) };
      const clientId = clientIdOf({ kind: 'device', organisation, type, id });
      await (await Link.open({ ...server, certificate }, { clientId })).close();
    } finally {
      management.close();
    }
  },

  async flood(call, culprit) {
    const { organisation, type, id, server, token } = culprit;
    const { output } = call;
    const clientId = clientIdOf({ kind: 'device', organisation, type, id });
    const link = await Link.open(
      { ...server, maximumPending: FLOOD },
      { clientId, username: 'use-token-auth', password: await token() },
    );
    output.note(`Publishing ${FLOOD} messages as fast as they go …`);
    const began = performance.now();
    const payload = new TextEncoder().encode('{"flood":true}');
    const all = Promise.all(Array.from({ length: FLOOD }, () => link.publish('iot-2/evt/flood/fmt/json', payload, 1)));
    const broken = new Promise<never>((_, reject) => link.on('problem', reject));
    try {
      await Promise.race([all, broken]);
    } finally {
      await link.close();
    }
    const seconds = (performance.now() - began) / 1_000;
    output.note(`They took ${seconds.toFixed(1)} s: ${Math.round(FLOOD / seconds)} messages per second.`);
    const slowed = await slowedDown(call, organisation, clientId);
    if (slowed) throw slowed;
  },
};

/** A flood is not cut off at once: the connection is read more slowly, under a ticket of its own. */
async function slowedDown(
  call: Invocation,
  organisation: string,
  clientId: string,
): Promise<RefusedByServer | undefined> {
  const management = connectAsOperator(call.options);
  try {
    const { items } = await management.refusals({ organisation, clientId, limit: 10 });
    const found = items.find(({ reason }) => reason === 'quota_exceeded');
    if (!found) return undefined;
    return new RefusedByServer(
      'publish_refused',
      'The server read the device more slowly.',
      found.reasonCode,
      found.ticket,
    );
  } finally {
    management.close();
  }
}
