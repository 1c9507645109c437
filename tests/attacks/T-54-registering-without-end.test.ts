import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ownAuthority, pairOf, reasonOf } from '../certificate-clients.ts';
import { type TestServer, testServer } from '../server.ts';

const organisation = 'demo';

describe('an unknown device with a certificate of a trusted authority', () => {
  let server: TestServer;
  let plant: Awaited<ReturnType<typeof ownAuthority>>;
  let id: string;
  beforeAll(async () => {
    server = await testServer({ 'enrolment.maximumPendingDevices': 2, 'enrolment.maximumRegistrations': 2 });
    plant = await ownAuthority();
    await server.api.types.update({ organisation, id: 'pump' }, { security: 'tls-certificate' });
    ({ id } = await server.api.authorities.add(organisation, plant.pem));
  });
  beforeEach(() => server.api.enrolment.setRegistration(organisation, id, 'off'));
  afterAll(() => server.close());

  const come = async (device: string, name = `d:pump:${device}`, clientId = `d:demo:pump:${device}`) =>
    reasonOf(server, { clientId, ...(await pairOf(plant, name)) });
  const known = async () =>
    (await server.api.devices.listOfType({ organisation, id: 'pump' })).items.map((one) => one.id);

  it('is refused as long as nobody has said otherwise', async () => {
    expect(await come('new-1')).toBe('unknown_identity');
    expect((await server.api.enrolment.listPending(organisation)).items).toEqual([]);
  });

  it('waits for an operator in review, and as many as may', async () => {
    await server.api.enrolment.setRegistration(organisation, id, 'review');
    for (const device of ['new-1', 'new-1', 'new-2']) expect(await come(device)).toBe('registration_pending');
    expect(await come('new-3')).toBe('registration_limit');
    const { items } = await server.api.enrolment.listPending(organisation);
    expect(items.map((one) => one.id)).toEqual(['new-1', 'new-2']);
    expect(items[0]).toMatchObject({ authority: id, address: '127.0.0.1' });
    const name = { organisation, type: 'pump' };
    await server.api.enrolment.approve({ ...name, id: 'new-1' });
    await server.api.enrolment.reject({ ...name, id: 'new-2' });
    expect(await come('new-1')).toBe('admitted');
    expect(await come('new-2')).toBe('registration_pending');
    await server.api.enrolment.reject({ ...name, id: 'new-2' });
    await expect(server.api.enrolment.approve({ ...name, id: 'new-2' })).rejects.toMatchObject({ code: 'not_found' });
  });

  it('is registered automatically, by name only, under a type of devices, and so many', async () => {
    await server.api.enrolment.setRegistration(organisation, id, 'automatic');
    expect(await come('auto-0', 'd:pump:')).toBe('unknown_identity');
    expect(await come('auto-0', 'd:none:auto-0', 'd:demo:none:auto-0')).toBe('unknown_identity');
    expect(await come('auto-0', 'g:hub:auto-0', 'g:demo:hub:auto-0')).toBe('unknown_identity');
    expect(await come('auto-0', 'a:auto', 'a:demo:auto')).toBe('unknown_identity');
    expect(await come('auto-1')).toBe('admitted');
    expect(await come('auto-1')).toBe('admitted');
    expect(await come('auto-2')).toBe('admitted');
    expect(await come('auto-3')).toBe('registration_limit');
    expect((await known()).filter((one) => one.startsWith('auto-'))).toEqual(['auto-1', 'auto-2']);
    const { items } = await server.api.audit({ limit: 500 });
    expect(items).toContainEqual(
      expect.objectContaining({ type: 'device.created', by: 'system', target: 'device:demo/pump/auto-1' }),
    );
  });

  it('is registered by no certificate that was revoked, and by no authority of strangers', async () => {
    await server.api.enrolment.setRegistration(organisation, id, 'automatic');
    const revoked = await pairOf(plant, 'd:pump:gone');
    await server.api.certificates.revokeForeign(organisation, { certificate: revoked.cert });
    expect(await reasonOf(server, { clientId: 'd:demo:pump:gone', ...revoked })).toBe('certificate_revoked');
    const stranger = await pairOf(await ownAuthority('Stranger'), 'd:pump:gone');
    expect(await reasonOf(server, { clientId: 'd:demo:pump:gone', ...stranger })).toBe('certificate_unknown_authority');
    expect(await reasonOf(server, { clientId: 'd:other:pump:gone', ...(await pairOf(plant, 'd:pump:gone')) })).not.toBe(
      'admitted',
    );
    expect(await known()).not.toContain('gone');
  });
});
