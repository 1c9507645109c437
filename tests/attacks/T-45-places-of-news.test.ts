import type { CertificateAuthority, PublishedAt } from '@sallyport/trust';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fetchPublic, isPrivateAddress } from '../../packages/server/src/authority/fetch-public.ts';
import { ownAuthority, pairOf, reasonOf } from '../certificate-clients.ts';
import { type ForeignPublisher, foreignPublisher } from '../foreign-publisher.ts';
import { type TestServer, testServer } from '../server.ts';

const organisation = 'demo';
const clientId = 'd:demo:pump:pump-7';

let plant: CertificateAuthority;
let inside: ForeignPublisher;
let server: TestServer;
beforeEach(async () => {
  plant = await ownAuthority();
  inside = await foreignPublisher(plant);
});
afterEach(async () => {
  await server.close();
  await inside.close();
});

/** The reason and the last step for a client whose certificate names these places. */
async function comesWith(places: Partial<PublishedAt>) {
  const publishedAt = { ...inside.publishedAt, ...places };
  const pair = await pairOf(plant, 'd:pump:pump-7', { publishedAt });
  const reason = await reasonOf(server, { clientId, ...pair });
  const [newest] = (await server.api.refusals({ clientId, limit: 1 })).items;
  return { reason, text: newest?.steps.at(-1)?.text ?? '' };
}

async function begin(allowedHosts: readonly string[]) {
  server = await testServer({ 'revocation.allowedHosts': allowedHosts });
  await server.api.types.update({ organisation, id: 'pump' }, { security: 'tls-certificate' });
}

describe('an authority that lets the server ask inside', () => {
  it.each(['crl', 'ocsp'] as const)(
    'is not followed to this machine by %s, and the refusal says which host it was',
    async (mode) => {
      await begin([]);
      await server.api.authorities.add(organisation, plant.pem, { mode });
      for (const host of ['127.0.0.1', 'localhost', '[::1]', '2130706433', '0x7f.1', '[::ffff:127.0.0.1]']) {
        const url = inside.base.replace('127.0.0.1', host);
        const { reason, text } = await comesWith({ list: `${url}/list.crl`, responder: `${url}/ocsp` });
        expect(reason).toBe('certificate_revocation_unknown');
        expect(text).toContain('is a private address, and not in revocation.allowedHosts');
      }
      expect(inside.asked).toEqual([]);
    },
  );

  it('is not followed from a host that is allowed to one that is not', async () => {
    await begin(['127.0.0.1']);
    const secret = await foreignPublisher(plant);
    await server.api.authorities.add(organisation, plant.pem, { mode: 'crl' });
    inside.dishonest = (_request, response) => {
      response.writeHead(302, { location: `${secret.base.replace('127.0.0.1', 'localhost')}/secret` }).end();
    };
    expect((await comesWith({})).text).toContain('localhost is a private address');
    expect(secret.asked).toEqual([]);
    await secret.close();
  });

  it('is not asked at all for a certificate that it has not issued', async () => {
    await begin(['127.0.0.1']);
    await server.api.authorities.add(organisation, plant.pem, { mode: 'crl-and-ocsp' });
    const stranger = await ownAuthority();
    const pair = await pairOf(stranger, 'd:pump:pump-7', { publishedAt: inside.publishedAt });
    expect(await reasonOf(server, { clientId, ...pair })).toBe('certificate_invalid');
    expect(inside.asked).toEqual([]);
  });

  it('gets no credential and no word about who asks', async () => {
    await begin(['127.0.0.1']);
    await server.api.authorities.add(organisation, plant.pem, { mode: 'crl' });
    let headers: Record<string, unknown> = {};
    inside.dishonest = (request, response) => {
      headers = request.headers;
      response.writeHead(404).end();
    };
    await comesWith({});
    expect(Object.keys(headers).sort()).toEqual(['accept', 'connection', 'host', 'user-agent']);
    expect(headers['user-agent']).toBe('Sallyport');
  });

  it('knows private addresses in every spelling, and public ones as such', async () => {
    await begin([]);
    for (const address of [
      '10.1.2.3',
      '172.31.0.1',
      '192.168.1.1',
      '169.254.169.254',
      '100.64.0.1',
      '0.0.0.0',
      '::',
      '::1',
    ]) {
      expect(isPrivateAddress(address), address).toBe(true);
    }
    for (const address of ['fd00::1', 'fe80::1', '::ffff:10.0.0.1', '::ffff:a00:1', '64:ff9b::a00:1', '2002:a00:1::']) {
      expect(isPrivateAddress(address), address).toBe(true);
    }
    for (const address of ['93.184.216.34', '2606:2800:220:1::1', '8.8.8.8', '172.32.0.1']) {
      expect(isPrivateAddress(address), address).toBe(false);
    }
    const bounds = { maximumBytes: 1000, timeout: 5000, allowedHosts: new Set<string>() };
    for (const url of [
      'file:///etc/passwd',
      'ftp://plant.example/x',
      'http://user:word@plant.example/',
      'gopher://x',
      'x',
    ]) {
      expect(await fetchPublic({ url, ...bounds })).toMatchObject({ ok: false });
    }
  });
});
