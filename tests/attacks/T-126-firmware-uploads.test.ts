import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digestOf, released, someImage } from '../firmware.ts';
import { type TestServer, testServer } from '../server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await testServer({
    'firmware.maximumImageSize': '64KiB',
    'firmware.maximumStoredSize': '128KiB',
    'firmware.maximumUploads': 2,
  });
  await server.api.firmware.initialise('demo');
});
afterAll(() => server.close());

const upload = (image: Buffer, piece: { size?: number; offset?: number; digest?: string; length?: number }) =>
  server.api.firmware.upload('demo', {
    digest: piece.digest ?? digestOf(image),
    size: piece.size ?? image.length,
    offset: piece.offset ?? 0,
    bytes: new Uint8Array(image.subarray(0, piece.length)),
  });

describe('an upload', () => {
  it('is refused beyond the size of an image, of all images, and the number under way', async () => {
    await expect(upload(someImage(100), { size: 65_537 })).rejects.toMatchObject({ code: 'request_too_large' });
    await upload(someImage(60_000), { length: 10 });
    await upload(someImage(60_000), { length: 10 });
    await expect(upload(someImage(10), {})).rejects.toMatchObject({ code: 'queue_full' });
  });

  it('cannot be longer than announced, nor have gaps', async () => {
    const image = someImage(1_000);
    await expect(upload(image, { size: 999 })).rejects.toMatchObject({ code: 'invalid_request' });
    await expect(upload(image, { offset: 5, size: 2_000 })).rejects.toMatchObject({ code: 'invalid_request' });
  });
});

describe('a release', () => {
  it('is not signed before its image is whole and has its digest', async () => {
    const fresh = await testServer();
    try {
      await fresh.api.firmware.initialise('demo');
      const image = someImage(1_000);
      const digest = digestOf(image);
      const wanted = { type: 'pump', version: '1.0.0', digest, size: image.length };
      await expect(fresh.api.firmware.release('demo', wanted)).rejects.toMatchObject({ code: 'not_found' });
      const other = someImage(1_000);
      await fresh.api.firmware.upload('demo', { digest, size: 1_000, offset: 0, bytes: new Uint8Array(other) });
      await expect(fresh.api.firmware.release('demo', wanted)).rejects.toThrow('does not have the digest');
      expect((await fresh.api.firmware.list('demo')).items).toEqual([]);
      await released(fresh, image, { version: '1.0.0', sequence: 5 });
      await expect(released(fresh, other, { version: '1.1.0', sequence: 5 })).rejects.toThrow('needs more');
      await fresh.api.firmware.remove('demo', { type: 'pump', version: '1.0.0' });
      expect((await released(fresh, other, { version: '2.0.0' })).sequence).toBe(6);
      await expect(released(fresh, someImage(10), { version: '2.0.0' })).rejects.toMatchObject({
        code: 'already_exists',
      });
      await expect(released(fresh, other, { version: '1.1.0', type: 'nothing' })).rejects.toMatchObject({
        code: 'not_found',
      });
    } finally {
      await fresh.close();
    }
  });
});
