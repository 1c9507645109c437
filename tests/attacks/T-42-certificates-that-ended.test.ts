import { createIntermediateAuthority } from '@sallyport/trust';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { knock, ownAuthority, pairOf, reasonOf } from '../certificate-clients.ts';
import { type TestServer, testServer } from '../server.ts';

const organisation = 'demo';
const clientId = 'd:demo:pump:pump-7';
const DAY = 86_400_000;

let server: TestServer;
beforeEach(async () => {
  server = await testServer();
  await server.api.types.update({ organisation, id: 'pump' }, { security: 'tls-certificate' });
});
afterEach(() => server.close());

/** An authority of the plant, one below it that only clients send, and a device of that. */
async function fleet() {
  const plant = await ownAuthority();
  const line = await createIntermediateAuthority({
    authority: plant,
    commonName: 'Line 1',
    now: Date.now(),
    validity: DAY,
  });
  const { id } = await server.api.authorities.add(organisation, plant.pem);
  return { plant, line, id, pair: await pairOf(line, 'd:pump:pump-7') };
}

describe('a principal whose certificate is worth nothing any more', () => {
  it('is ended, and stays out, when an authority between it and the trusted one is revoked', async () => {
    const { line, pair } = await fleet();
    const live = await knock(server, { clientId, ...pair });
    expect(live.code).toBe(0);
    await server.api.certificates.revokeForeign(organisation, { certificate: line.pem });
    await live.gone;
    expect(await reasonOf(server, { clientId, ...pair })).toBe('certificate_revoked');
  });

  it.each(['0x%', '%', '00:%', '%upper'])('is ended by its serial, written as %s, and its authority', async (form) => {
    const plant = await ownAuthority();
    const { id } = await server.api.authorities.add(organisation, plant.pem);
    const pair = await pairOf(plant, 'd:pump:pump-7');
    const live = await knock(server, { clientId, ...pair });
    const { X509Certificate } = await import('node:crypto');
    const plain = new X509Certificate(pair.cert).serialNumber.toLowerCase();
    const serial = form === '%upper' ? plain.toUpperCase() : form.replace('%', plain);
    await server.api.certificates.revokeForeign(organisation, { authority: id, serial });
    await live.gone;
    expect(await reasonOf(server, { clientId, ...pair })).toBe('certificate_revoked');
  });

  it('cannot come back by the ticket of an earlier handshake, not even with the authorities remembered', async () => {
    const { id, pair } = await fleet();
    const tls = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const;
    const first = await knock(server, { clientId, ...pair, tls });
    expect(first.code).toBe(0);
    await first.client.endAsync(true);
    const session = first.session();
    if (!session) throw new Error('the server gave no ticket');
    const again = await knock(server, { clientId, ...pair, tls, session });
    expect([again.code, again.resumed]).toEqual([0, true]);
    await server.api.authorities.remove(organisation, id);
    await again.gone;
    expect(await reasonOf(server, { clientId, ...pair, tls, session })).toBe('certificate_unknown_authority');
  });

  it('does not keep the session that waits for it', async () => {
    const { id, pair } = await fleet();
    const mqtt = { clean: false };
    const live = await knock(server, { clientId, ...pair, mqtt });
    await live.client.subscribeAsync('iot-2/cmd/+/fmt/json', { qos: 1 });
    await live.client.endAsync();
    await live.gone;
    await server.api.authorities.remove(organisation, id);
    // What is awaited is that the registry has told the broker, which ends in an audit row of the refusal.
    await expect
      .poll(async () => (await server.api.sessions.list(organisation)).items.length, { timeout: 10_000 })
      .toBe(0);
  });

  it('is ended when the level is raised to one that its certificate alone does not meet', async () => {
    const { pair } = await fleet();
    const live = await knock(server, { clientId, ...pair });
    await server.api.types.update({ organisation, id: 'pump' }, { security: 'tls-certificate-and-token' });
    await live.gone;
    expect(live.code).toBe(0);
  });
});
