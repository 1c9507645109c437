import { parsed } from '@sallyport/model';
import {
  type CertificateAuthority,
  type CertificateFacts,
  type CertificateStatus,
  createOcspResponse,
  createRootAuthority,
  generateKeyPair,
  issueClientCertificate,
  ocspRefusal,
  readCertificate,
  readOcspRequest,
} from '@sallyport/trust';
import { beforeEach, describe, expect, it } from 'vitest';
import type { ForeignEvent } from '../../packages/server/src/authority/foreign-source.ts';
import { ForeignStatuses } from '../../packages/server/src/authority/foreign-statuses.ts';

const HOUR = 3_600_000;
const URL_OF = 'http://ocsp.plant.example/';

describe('whoever answers in the place of an OCSP responder with what it said once', () => {
  let authority: CertificateAuthority;
  let certificate: CertificateFacts;
  let now: number;
  let status: CertificateStatus;
  let requests: Uint8Array[];
  let said: Uint8Array[];
  let events: ForeignEvent[];
  /** How it answers: as it should, without a nonce, not at all where one is asked with, or with what it said first. */
  let manner: 'repeats' | 'leaves out' | 'refuses' | 'replays';
  let statuses: ForeignStatuses;

  beforeEach(async () => {
    now = Date.now();
    authority = await createRootAuthority({ commonName: 'Plant root', now, validity: 240 * HOUR });
    const { publicKey } = await generateKeyPair();
    const { der } = await issueClientCertificate({ authority, publicKey, commonName: 'd:pump:pump-7', now });
    const read = await readCertificate(der);
    if (!read.ok) throw new Error(read.problem);
    certificate = read.value;
    [status, requests, said, events, manner] = [{ status: 'good' }, [], [], [], 'repeats'];
    statuses = new ForeignStatuses({
      longestRest: HOUR,
      now: () => now,
      emit: (event) => events.push(event),
      onRevoked: () => {},
      fetch: async ({ body = new Uint8Array() }) => parsed(await answer(body)),
    });
  });

  async function answer(body: Uint8Array): Promise<Uint8Array> {
    requests.push(body);
    const request = readOcspRequest(body);
    if (!request.ok) throw new Error(request.problem);
    const { asked, nonce } = request.value;
    if (manner === 'refuses' && nonce) return ocspRefusal('malformedRequest');
    const [first] = said;
    if (manner === 'replays' && first) return first;
    const made = await createOcspResponse({
      authority,
      answers: asked.map(({ id }) => ({ id, status })),
      ...(manner === 'repeats' && nonce ? { nonce } : {}),
      thisUpdate: now - 1000,
      nextUpdate: now + 10 * HOUR,
    });
    said.push(made);
    return made;
  }
  const ask = () => statuses.ask({ authority: 'plant', certificate, issuer: authority.certificate }, URL_OF);
  /** The answer at hand is asked for anew, as it is by itself after a while. */
  const later = async () => {
    now += 3 * HOUR;
    await statuses.renew('plant');
  };
  const nonces = () =>
    requests.map((body) => readOcspRequest(body)).map((read) => (read.ok ? read.value.nonce : undefined));

  it('is found out: each request has a nonce of its own, and an answer with another one does not count', async () => {
    expect(await ask()).toEqual({ status: 'good' });
    const good = said[0];
    status = { status: 'revoked', revokedAt: now };
    manner = 'replays';
    await later();
    expect(events).toMatchObject([
      { type: 'revocation.failing', problem: expect.stringContaining('nonce of another request') },
    ]);
    now += 10 * HOUR;
    expect(await ask()).toMatchObject({ status: 'unknown' });
    manner = 'repeats';
    await later();
    expect(await ask()).toMatchObject({ status: 'revoked' });
    expect(good).toBeDefined();
    const all = nonces().map((nonce) => Buffer.from(nonce ?? []).toString('hex'));
    expect(new Set(all).size).toBe(all.length);
    // 32 random bytes in an octet string.
    for (const nonce of all) expect(nonce).toMatch(/^0420[0-9a-f]{64}$/);
  });

  it('cannot leave the nonce out, or refuse it, for a responder that has repeated one', async () => {
    await ask();
    for (const talked of ['leaves out', 'refuses'] as const) {
      manner = talked;
      const before = requests.length;
      await later();
      expect(requests).toHaveLength(before + 1);
    }
    expect(events[0]).toMatchObject({
      type: 'revocation.failing',
      problem: expect.stringContaining('repeats no nonce'),
    });
    now += 10 * HOUR;
    expect(await ask()).toMatchObject({ status: 'unknown' });
  });

  it('responders that know no nonce are still understood, by the dates of what they say', async () => {
    manner = 'leaves out';
    expect(await ask()).toEqual({ status: 'good' });
    expect(requests).toHaveLength(1);
  });

  it('responders that refuse a nonce are asked again without, and from then on so at once', async () => {
    manner = 'refuses';
    expect(await ask()).toEqual({ status: 'good' });
    expect(nonces().map((nonce) => nonce !== undefined)).toEqual([true, false]);
    await later();
    expect(nonces().map((nonce) => nonce !== undefined)).toEqual([true, false, false]);
    expect(events).toEqual([]);
  });
});
