import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { knock, ownAuthority, pairOf, reasonOf } from '../certificate-clients.ts';
import { foreignPublisher, serialOf } from '../foreign-publisher.ts';
import { type TestServer, testServer } from '../server.ts';

const clientId = 'd:demo:pump:pump-7';

let server: TestServer;
beforeEach(async () => {
  server = await testServer({ 'revocation.allowedHosts': ['127.0.0.1'] });
  await server.api.types.update({ organisation: 'demo', id: 'pump' }, { security: 'tls-certificate' });
});
afterEach(() => server.close());

describe('a neighbour whose authority has the name of another', () => {
  it('revokes nothing that is not its own', async () => {
    const [plant, neighbour] = await Promise.all([ownAuthority('Plant'), ownAuthority('Plant')]);
    const [honest, hostile] = await Promise.all([foreignPublisher(plant), foreignPublisher(neighbour)]);
    const pair = await pairOf(plant, 'd:pump:pump-7', { publishedAt: honest.publishedAt });
    await server.api.authorities.add('demo', plant.pem, { mode: 'crl-and-ocsp' });
    const live = await knock(server, { clientId, ...pair });
    expect(live.code).toBe(0);

    hostile.revoked.add(await serialOf(pair));
    const listUrl = `${hostile.base}/list.crl`;
    const { id } = await server.api.authorities.add('other', neighbour.pem, { mode: 'crl', listUrl });
    const lists = async () => (await server.api.authorities.get('other', id)).lists;
    await expect.poll(lists, { timeout: 30_000 }).toMatchObject([{ revoked: 1 }]);

    expect(await reasonOf(server, { clientId: 'd:demo:pump:pump-7', ...pair })).toBe('admitted');
    expect((await server.api.refusals({ limit: 10 })).items).toEqual([]);
    await live.client.endAsync(true);
    await Promise.all([honest.close(), hostile.close()]);
  });

  it('decides only for itself what is asked below an authority that both trust', async () => {
    const plant = await ownAuthority('Plant');
    const publisher = await foreignPublisher(plant);
    const pair = await pairOf(plant, 'd:pump:pump-7', { publishedAt: publisher.publishedAt });
    publisher.revoked.add(await serialOf(pair));
    await server.api.types.update({ organisation: 'other', id: 'pump' }, { security: 'tls-certificate' });
    await server.api.authorities.add('demo', plant.pem);
    await server.api.authorities.add('other', plant.pem, { mode: 'crl' });
    expect(await reasonOf(server, { clientId: 'd:other:pump:pump-7', ...pair })).toBe('certificate_revoked');
    expect(await reasonOf(server, { clientId, ...pair })).toBe('admitted');
    await publisher.close();
  });
});
