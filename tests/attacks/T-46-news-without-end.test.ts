import type { ServerResponse } from 'node:http';
import type { CertificateAuthority } from '@sallyport/trust';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ownAuthority, pairOf, reasonOf } from '../certificate-clients.ts';
import { type ForeignPublisher, foreignPublisher } from '../foreign-publisher.ts';
import { type TestServer, testServer } from '../server.ts';

const organisation = 'demo';
const clientId = 'd:demo:pump:pump-7';

let plant: CertificateAuthority;
let publisher: ForeignPublisher;
let server: TestServer;
beforeEach(async () => {
  plant = await ownAuthority();
  publisher = await foreignPublisher(plant);
  server = await testServer({ 'revocation.allowedHosts': ['127.0.0.1'] });
  await server.api.types.update({ organisation, id: 'pump' }, { security: 'tls-certificate-or-token' });
});
afterEach(async () => {
  await server.close();
  await publisher.close();
});

const known = () => pairOf(plant, 'd:pump:pump-7', { publishedAt: publisher.publishedAt });
const token = () => ({ clientId: 'd:demo:pump:pump-8', token: server.tokens['pump-8'] ?? '' });

describe('news that holds up the server', () => {
  it('keeps nobody else waiting while it does not come', async () => {
    await server.api.authorities.add(organisation, plant.pem, { mode: 'crl-and-ocsp' });
    publisher.dishonest = () => {};
    let isOver = false;
    const waiting = Promise.all(
      [known(), known(), known()].map(async (pair) => reasonOf(server, { clientId, ...(await pair) })),
    ).then((reasons) => {
      isOver = true;
      return reasons;
    });
    await expect.poll(() => publisher.asked.length, { timeout: 30_000 }).toBeGreaterThan(0);
    expect(await reasonOf(server, token())).toBe('admitted');
    expect(isOver).toBe(false);
    // What held them up is said in the end, whichever of them it was.
    expect(new Set(await waiting)).toEqual(new Set(['certificate_revocation_unknown']));
  }, 120_000);

  it.each<[string, string, (response: ServerResponse) => void]>([
    [
      'has no end',
      'more than 65536 bytes',
      (response) => {
        const more = (): void => {
          while (!response.destroyed && response.write(Buffer.alloc(65_536)));
          if (!response.destroyed) response.once('drain', more);
        };
        more();
      },
    ],
    [
      'sends on for ever',
      'redirects more than 3 times',
      (response) => {
        response.writeHead(302, { location: '/again' }).end();
      },
    ],
  ])('is given up when it %s', async (_name, why, misbehave) => {
    await server.api.authorities.add(organisation, plant.pem, { mode: 'ocsp' });
    publisher.dishonest = (_request, response) => misbehave(response);
    const { key, cert } = await known();
    expect(await reasonOf(server, { clientId, key, cert })).toBe('certificate_revocation_unknown');
    const [newest] = (await server.api.refusals({ clientId, limit: 1 })).items;
    expect(newest?.steps.at(-1)?.text).toContain(why);
  });

  it('is fetched from a bounded number of places below one authority', async () => {
    await server.api.authorities.add(organisation, plant.pem, { mode: 'crl' });
    const reasons: string[] = [];
    for (let place = 0; place < 20; place++) {
      const publishedAt = { ...publisher.publishedAt, list: `${publisher.base}/${place}.crl` };
      reasons.push(await reasonOf(server, { clientId, ...(await pairOf(plant, 'd:pump:pump-7', { publishedAt })) }));
    }
    expect(reasons.slice(0, 16)).toEqual(new Array(16).fill('admitted'));
    expect(reasons.slice(16)).toEqual(new Array(4).fill('certificate_revocation_unknown'));
    expect(new Set(publisher.asked).size).toBe(16);
  }, 60_000);
});
