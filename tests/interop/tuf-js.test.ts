import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { BaseFetcher, Updater } from 'tuf-js';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { released, someImage } from '../firmware.ts';
import { type TestServer, testServer } from '../server.ts';

let server: TestServer;
let folder: string;
beforeEach(async () => {
  server = await testServer();
  folder = mkdtempSync(join(tmpdir(), 'sallyport-tuf-'));
  await server.api.firmware.initialise('demo');
});
afterEach(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

/** The one thing that a stock client has to be given: how to prove itself. */
class TokenFetcher extends BaseFetcher {
  override fetch(url: string): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
    return new Promise((resolve, reject) => {
      const auth = `demo/pump/pump-7:${server.tokens['pump-7']}`;
      request(url, { ca: server.rootPem, auth, agent: false }, (response) => {
        if (response.statusCode === 200) return resolve(Readable.toWeb(response) as never);
        response.resume();
        reject(Object.assign(new Error(`status ${response.statusCode}`), { statusCode: response.statusCode }));
      })
        .on('error', reject)
        .end();
    });
  }
}

async function stockClient() {
  const { root } = await server.api.firmware.signing('demo');
  writeFileSync(join(folder, 'root.json'), root ?? '');
  const base = `https://localhost:${server.httpPort}/firmware/demo`;
  return new Updater({
    metadataDir: folder,
    metadataBaseUrl: `${base}/metadata`,
    targetDir: folder,
    targetBaseUrl: `${base}/targets`,
    fetcher: new NotFoundIsTheEnd(),
  });
}

/** tuf-js looks for its own class of error to learn that there is no newer root. */
class NotFoundIsTheEnd extends TokenFetcher {
  override async fetch(url: string): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
    try {
      return await super.fetch(url);
    } catch (error) {
      const { DownloadHTTPError } = await import('tuf-js/dist/error.js');
      const { statusCode } = error as { statusCode?: number };
      throw statusCode === undefined ? error : new DownloadHTTPError('no such file', statusCode);
    }
  }
}

it('finds, downloads and verifies a release with a stock TUF client', async () => {
  const image = someImage();
  await released(server, image, { version: '1.2.0' });
  const client = await stockClient();
  await client.refresh();
  const target = await client.getTargetInfo('pump/1.2.0.bin');
  if (!target) throw new Error('the client found no target');
  expect(target.custom).toMatchObject({ type: 'pump', version: '1.2.0', sequence: 1, minimumSequence: 1 });
  const path = await client.downloadTarget(target, join(folder, 'image.bin'));
  expect(readFileSync(path).equals(image)).toBe(true);
});

it('shows a stock client each state of the repository: a new release, then one that was taken back', async () => {
  await released(server, someImage(), { version: '1.0.0' });
  expect(await (await stockClient()).getTargetInfo('pump/1.0.0.bin')).toBeDefined();
  await released(server, someImage(), { version: '1.1.0' });
  expect(await (await stockClient()).getTargetInfo('pump/1.1.0.bin')).toBeDefined();
  await server.api.firmware.remove('demo', { type: 'pump', version: '1.0.0' });
  const client = await stockClient();
  expect(await client.getTargetInfo('pump/1.0.0.bin')).toBeUndefined();
  expect(await client.getTargetInfo('pump/1.1.0.bin')).toBeDefined();
});
