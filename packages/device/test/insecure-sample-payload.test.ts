import { createCipheriv, createDecipheriv, createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { readInsecureSamplePayload, writeInsecureSamplePayload } from '../src/insecure-sample-payload.ts';

const key = { key: 'AyanMukhAyanMukh', iv: 'myuniqueivparam1' };

/** As a program of the samples writes it, by node:crypto alone. */
function asThePublishedPrograms(clear: string) {
  const cipher = createCipheriv('aes-128-cbc', key.key, key.iv);
  const d = Buffer.concat([cipher.update(clear), cipher.final()]).toString('base64');
  const digest = createHash('md5').update(clear).digest('hex');
  return { chksum: BigInt(`0x${digest}`).toString(16), ts: '2018-02-28 09:05:00', d };
}

describe('the payloads of the published samples', () => {
  it('are read as their programs write them, also where the checksum begins with zeros', async () => {
    const clears = Array.from({ length: 600 }, (_, count) => `{"d":{"count":${count}}}`);
    const short = clears.filter((clear) => asThePublishedPrograms(clear).chksum.length < 32);
    expect(short.length).toBeGreaterThan(0);
    for (const clear of [...short.slice(0, 5), clears[0] ?? '']) {
      expect(await readInsecureSamplePayload(asThePublishedPrograms(clear), key)).toEqual(JSON.parse(clear));
    }
  });

  it('are written as their programs read them', async () => {
    const written = await writeInsecureSamplePayload({ d: { count: 7 } }, key, Date.parse('2018-02-28T09:05:00Z'));
    expect(written).toEqual(asThePublishedPrograms('{"d":{"count":7}}'));
    const decipher = createDecipheriv('aes-128-cbc', key.key, key.iv);
    expect(decipher.update(written.d, 'base64', 'utf8') + decipher.final('utf8')).toBe('{"d":{"count":7}}');
  });

  it('are refused alike for a wrong key, a wrong checksum and what is no Base64', async () => {
    const good = asThePublishedPrograms('{"d":{"count":7}}');
    const faults = await Promise.allSettled([
      readInsecureSamplePayload({ ...good, chksum: '0' }, key),
      readInsecureSamplePayload(good, { ...key, key: 'AyanMukhAyanMukX' }),
      readInsecureSamplePayload({ ...good, d: '***' }, key),
      readInsecureSamplePayload({ ...good, d: good.d.slice(0, 20) }, key),
    ]);
    const messages = faults.map((fault) => (fault.status === 'rejected' ? (fault.reason as Error).message : 'read'));
    expect(new Set(messages)).toEqual(new Set(['A payload of the form of the samples cannot be read.']));
  });
});
