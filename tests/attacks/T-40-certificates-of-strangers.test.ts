import { createIntermediateAuthority, createRootAuthority } from '@sallyport/trust';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { issuedPair, ownAuthority, pairOf, reasonOf } from '../certificate-clients.ts';
import { type TestServer, testServer } from '../server.ts';

const organisation = 'demo';
const clientId = 'd:demo:pump:pump-7';
const PUMP = 'device:demo/pump/pump-7';
const DAY = 86_400_000;

let server: TestServer;
let plant: Awaited<ReturnType<typeof ownAuthority>>;
beforeAll(async () => {
  server = await testServer();
  plant = await ownAuthority();
  await server.api.types.update({ organisation, id: 'pump' }, { security: 'tls-certificate-or-token' });
  await server.api.authorities.add(organisation, plant.pem);
});
afterAll(() => server.close());

describe('a stranger with a certificate of its own making', () => {
  it('is not let in by an authority that only has the name of a trusted one', async () => {
    const twin = await ownAuthority();
    expect(await reasonOf(server, { clientId, ...(await pairOf(twin, 'd:pump:pump-7')) })).toBe('certificate_invalid');
  });

  it('is not let in by an authority that it sends along', async () => {
    const root = await ownAuthority('Stranger');
    const middle = await createIntermediateAuthority({
      authority: root,
      commonName: 'Stranger 2',
      now: Date.now(),
      validity: DAY,
    });
    const { key, cert } = await pairOf(middle, 'd:pump:pump-7');
    const sent = { key, cert: `${cert}${root.pem}` };
    expect(await reasonOf(server, { clientId, ...sent })).toBe('certificate_unknown_authority');
  });

  it('is not let in by a certificate of a device that plays the authority', async () => {
    const device = await pairOf(plant, 'd:pump:pump-8');
    const { generateKeyPair, issueClientCertificate, keyPairFromPem, keyPairToPem, readCertificate } = await import(
      '@sallyport/trust'
    );
    const read = await readCertificate(device.cert);
    if (!read.ok) throw new Error(read.problem);
    const forger = {
      certificate: read.value,
      keys: await keyPairFromPem(device.key),
      pem: device.cert,
      intermediates: [read.value.der],
    };
    const keys = await generateKeyPair();
    const forged = await issueClientCertificate({
      authority: forger,
      publicKey: keys.publicKey,
      commonName: 'd:pump:pump-7',
      now: Date.now(),
      validity: 600_000,
    });
    const pair = { key: await keyPairToPem(keys), cert: forged.chainPem };
    expect(await reasonOf(server, { clientId, ...pair })).toBe('certificate_wrong_usage');
  });

  it.each([
    ['certificate_expired', -30 * DAY],
    ['certificate_not_yet_valid', 30 * DAY],
  ])('is told %s apart for the operator', async (reason, shift) => {
    const old = await createRootAuthority({
      commonName: `Old ${reason}`,
      now: Date.now() - 60 * DAY,
      validity: 120 * DAY,
    });
    await server.api.authorities.add(organisation, old.pem);
    const pair = await pairOf(old, 'd:pump:pump-7', { now: Date.now() + shift });
    expect(await reasonOf(server, { clientId, ...pair })).toBe(reason);
  });

  it('does not make a certificate good by the right token, where the level looks at both', async () => {
    const pair = await pairOf(await ownAuthority('Stranger'), 'd:pump:pump-7');
    const token = server.tokens['pump-7'] ?? '';
    expect(await reasonOf(server, { clientId, token, ...pair })).toBe('certificate_unknown_authority');
    expect(await reasonOf(server, { clientId, token })).toBe('admitted');
  });

  it('cannot use a certificate of this server that is on record no more', async () => {
    const name = { organisation, type: 'pump', id: 'pump-9' };
    await server.api.devices.create({ ...name, withoutToken: true });
    const pair = await issuedPair(server, 'device:demo/pump/pump-9');
    const knocks = { clientId: 'd:demo:pump:pump-9', ...pair };
    expect(await reasonOf(server, knocks)).toBe('admitted');
    await server.api.devices.remove(name);
    await server.api.devices.create({ ...name, withoutToken: true });
    expect(await reasonOf(server, knocks)).toBe('certificate_not_on_record');
  });

  it('gives its request whatever name it likes, and gets the name of the principal', async () => {
    expect(await reasonOf(server, { clientId, ...(await issuedPair(server, PUMP)) })).toBe('admitted');
    expect(await reasonOf(server, { clientId: 'whoever', ...(await issuedPair(server, PUMP)) })).toBe(
      'client_id_not_permitted',
    );
  });
});
