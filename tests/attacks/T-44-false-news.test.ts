import { type CertificateAuthority, readCertificate } from '@sallyport/trust';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ForeignLists } from '../../packages/server/src/authority/foreign-lists.ts';
import type { ForeignEvent } from '../../packages/server/src/authority/foreign-source.ts';
import { ownAuthority, type Pair, pairOf, reasonOf } from '../certificate-clients.ts';
import { type ForeignPublisher, foreignPublisher, listOf } from '../foreign-publisher.ts';
import { type TestServer, testServer } from '../server.ts';

const organisation = 'demo';
const clientId = 'd:demo:pump:pump-7';
const HOUR = 3_600_000;

let plant: CertificateAuthority;
let namesake: CertificateAuthority;
let publisher: ForeignPublisher;
let server: TestServer;
let pair: Pair;
beforeEach(async () => {
  [plant, namesake] = await Promise.all([ownAuthority('Plant'), ownAuthority('Plant')]);
  publisher = await foreignPublisher(plant);
  server = await testServer({ 'revocation.allowedHosts': ['127.0.0.1'] });
  await server.api.types.update({ organisation, id: 'pump' }, { security: 'tls-certificate' });
  pair = await pairOf(plant, 'd:pump:pump-7', { publishedAt: publisher.publishedAt });
});
afterEach(async () => {
  await server.close();
  await publisher.close();
});

/** Puts another list in the place of the honest one. */
async function lists(by: CertificateAuthority, from: number, to: number, serials: string[] = []): Promise<void> {
  const list = await listOf(by, serials, { thisUpdate: Date.now() + from, nextUpdate: Date.now() + to });
  publisher.dishonest = (_request, response) => response.end(list);
}

describe('whoever answers in the place of an authority', () => {
  it.each([
    ['signed by one of the same name', 'namesake', -HOUR, HOUR],
    ['that has ended', 'plant', -2 * HOUR, -HOUR],
    ['of a time to come', 'plant', 5 * HOUR, 9 * HOUR],
  ] as const)('does not get a certificate in with a list %s', async (_name, by, from, to) => {
    await lists(by === 'plant' ? plant : namesake, from, to);
    await server.api.authorities.add(organisation, plant.pem, { mode: 'crl' });
    expect(await reasonOf(server, { clientId, ...pair })).toBe('certificate_revocation_unknown');
  });

  it('does not get one in with an answer of another responder, of garbage, or of a page of HTML', async () => {
    const other = await foreignPublisher(namesake);
    const { id } = await server.api.authorities.add(organisation, plant.pem, { mode: 'ocsp' });
    await server.api.authorities.update(organisation, id, { responderUrl: `${other.base}/ocsp` });
    expect(await reasonOf(server, { clientId, ...pair })).toBe('certificate_revocation_unknown');
    await other.close();
    for (const [index, body] of [Buffer.alloc(900, 0x30), '<html>welcome</html>'].entries()) {
      publisher.dishonest = (_request, response) => response.end(body);
      await server.api.authorities.update(organisation, id, { responderUrl: `${publisher.base}/${index}` });
      expect(await reasonOf(server, { clientId, ...pair })).toBe('certificate_revocation_unknown');
    }
  });

  it('does not take a revocation back with a list of before it, and is told of', async () => {
    const issuer = await readCertificate(plant.certificate.der);
    const certificate = await readCertificate(pair.cert);
    if (!issuer.ok || !certificate.ok) throw new Error('unreadable');
    const asked = { authority: 'a', issuer: issuer.value, certificate: certificate.value };
    const [url, start] = ['http://plant.example/list.crl', Date.now()];
    let now = start;
    let served: Uint8Array = await listOf(plant, [certificate.value.serial], {
      thisUpdate: start - HOUR,
      nextUpdate: start + HOUR,
    });
    const told: ForeignEvent[] = [];
    const lists = new ForeignLists({
      fetch: async () => ({ ok: true, value: served }),
      files: { load: async () => [], save: async () => {}, remove: async () => {} },
      longestRest: HOUR,
      now: () => now,
      emit: (event) => told.push(event),
      onRevoked: () => {},
    });
    expect(await lists.ask(asked, url)).toMatchObject({ status: 'revoked' });
    served = await listOf(plant, [], { thisUpdate: start - 2 * HOUR, nextUpdate: start + 9 * HOUR });
    now = start + 2 * HOUR;
    await lists.tend();
    expect(await lists.ask(asked, url)).toMatchObject({ status: 'revoked' });
    expect(lists.standing('a')).toMatchObject([{ problem: 'it is older than the one at hand' }]);
    expect(told.map(({ type }) => type)).toEqual(['revocation.failing', 'revocation.failing']);
  });
});
