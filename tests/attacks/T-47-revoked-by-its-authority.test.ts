import type { CertificateAuthority } from '@sallyport/trust';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { knock, ownAuthority, type Pair, pairOf, reasonOf } from '../certificate-clients.ts';
import { type ForeignPublisher, foreignPublisher, serialOf } from '../foreign-publisher.ts';
import { type TestServer, testServer } from '../server.ts';
import { startedAgain } from '../started-again.ts';

const organisation = 'demo';
const clientId = 'd:demo:pump:pump-7';

let plant: CertificateAuthority;
let publisher: ForeignPublisher;
let server: TestServer;
let pair: Pair;
beforeEach(async () => {
  plant = await ownAuthority();
  publisher = await foreignPublisher(plant);
  server = await testServer({ 'revocation.allowedHosts': ['127.0.0.1'] });
  await server.api.types.update({ organisation, id: 'pump' }, { security: 'tls-certificate' });
  pair = await pairOf(plant, 'd:pump:pump-7', { publishedAt: publisher.publishedAt });
});
afterEach(async () => {
  await server.close();
  await publisher.close();
});

const trust = (mode: 'crl' | 'ocsp' | 'crl-and-ocsp', onUnknown: 'hard' | 'soft' = 'hard') =>
  server.api.authorities.add(organisation, plant.pem, { mode, onUnknown });
const down: ForeignPublisher['dishonest'] = (_request, response) => response.writeHead(503).end();

describe('a certificate that its own authority has revoked', () => {
  it.each(['crl', 'ocsp', 'crl-and-ocsp'] as const)('is refused, with a reason, where %s is asked', async (mode) => {
    await trust(mode);
    expect(await reasonOf(server, { clientId, ...pair })).toBe('admitted');
    const another = await pairOf(plant, 'd:pump:pump-7', { publishedAt: publisher.publishedAt });
    publisher.revoked.add(await serialOf(another));
    // A list that was fetched before is renewed ahead of its end, not at once: this one begins anew.
    const { items } = await server.api.authorities.list(organisation);
    const id = items.find(({ builtIn }) => !builtIn)?.id ?? '';
    await server.api.authorities.remove(organisation, id);
    await trust(mode);
    expect(await reasonOf(server, { clientId, ...another })).toBe('certificate_revoked');
    expect(await reasonOf(server, { clientId, ...pair })).toBe('admitted');
  });

  it('is admitted where the organisation has asked for no news, and the authority is left alone', async () => {
    publisher.revoked.add(await serialOf(pair));
    await server.api.authorities.add(organisation, plant.pem);
    expect(await reasonOf(server, { clientId, ...pair })).toBe('admitted');
    expect(publisher.asked).toEqual([]);
  });

  it.each(['crl', 'ocsp'] as const)(
    'is refused while nobody can be asked (%s), unless the operator chose soft',
    async (mode) => {
      publisher.dishonest = down;
      const { id } = await trust(mode);
      expect(await reasonOf(server, { clientId, ...pair })).toBe('certificate_revocation_unknown');
      await server.api.authorities.update(organisation, id, { onUnknown: 'soft' });
      expect(await reasonOf(server, { clientId, ...pair })).toBe('admitted');
      const [newest] = (await server.api.refusals({ clientId, limit: 10 })).items;
      expect(newest?.steps.at(-1)?.text).toContain(publisher.base);
      expect(newest?.cure).toContain('--on-unknown soft');
    },
  );

  it('is refused where it names no place of news, until the operator gives one', async () => {
    const nameless = await pairOf(plant, 'd:pump:pump-7');
    const { id } = await trust('crl');
    expect(await reasonOf(server, { clientId, ...nameless })).toBe('certificate_revocation_unknown');
    await server.api.authorities.update(organisation, id, { listUrl: `${publisher.base}/by-hand.crl` });
    expect(await reasonOf(server, { clientId, ...nameless })).toBe('admitted');
    expect(publisher.asked).toContain('/by-hand.crl');
  });

  it('loses its live session when the news comes', async () => {
    const { id } = await trust('crl');
    const live = await knock(server, { clientId, ...pair });
    expect(live.code).toBe(0);
    publisher.revoked.add(await serialOf(pair));
    // The next list is fetched when the last one nears its end; a second place of the same news is fetched at once.
    await server.api.authorities.update(organisation, id, { listUrl: `${publisher.base}/fresh.crl` });
    await live.gone;
    expect(await reasonOf(server, { clientId, ...pair })).toBe('certificate_revoked');
  });

  it.each(['crl', 'ocsp'] as const)('loses its live session when the operator fetches news (%s)', async (mode) => {
    const { id } = await trust(mode);
    const live = await knock(server, { clientId, ...pair });
    expect(live.code).toBe(0);
    publisher.revoked.add(await serialOf(pair));
    await server.api.authorities.fetchNews(organisation, id);
    await live.gone;
    expect(await reasonOf(server, { clientId, ...pair })).toBe('certificate_revoked');
  });

  it('stays known over a restart, when its authority is silent', async () => {
    publisher.revoked.add(await serialOf(pair));
    await trust('crl');
    expect(await reasonOf(server, { clientId, ...pair })).toBe('certificate_revoked');
    publisher.dishonest = down;
    const { items } = await server.api.authorities.list(organisation);
    const shown = await server.api.authorities.get(organisation, items.find(({ builtIn }) => !builtIn)?.id ?? '');
    expect(shown.lists).toMatchObject([{ url: publisher.publishedAt.list, revoked: 1 }]);
    const { readdirSync } = await import('node:fs');
    const { join } = await import('node:path');
    await expect.poll(() => readdirSync(join(server.directory, 'revocation')).length, { timeout: 20_000 }).toBe(2);
    const again = await startedAgain(server, { 'revocation.allowedHosts': ['127.0.0.1'] });
    try {
      expect(await reasonOf(again, { clientId, ...pair })).toBe('certificate_revoked');
    } finally {
      await again.server.close();
    }
  });

  it('never reaches CONNECT where certificates are demanded in the handshake', async () => {
    await server.close();
    server = await testServer({
      'revocation.allowedHosts': ['127.0.0.1'],
      'listeners.mqttTls.clientCertificates': 'require',
    });
    publisher.revoked.add(await serialOf(pair));
    await trust('crl');
    const answer = await knock(server, { clientId, ...pair });
    expect(answer.code).toBe('closed');
    const [newest] = (await server.api.refusals({ limit: 10 })).items;
    expect(newest).toMatchObject({ action: 'handshake', reason: 'certificate_revoked' });
  });
});
