import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure, type FirmwareUploadDocument } from '@sallyport/model';
import type { Configuration } from '../config/schema.ts';
import type { RepositoryFolder } from './repository-folder.ts';

const ABANDONED_AFTER = 86_400_000;

export interface UploadOptions {
  readonly folder: RepositoryFolder;
  readonly bounds: Pick<Configuration['firmware'], 'maximumImageSize' | 'maximumStoredSize' | 'maximumUploads'>;
  readonly now: () => number;
}

/** Images on their way to the server, piece by piece and named by the digest that they are to have, so that each can be continued. */
export class Uploads {
  readonly #options: UploadOptions;

  constructor(options: UploadOptions) {
    this.#options = options;
  }

  /** Bytes of the upload that are on disk; 0 if it has not begun. */
  async received(digest: string): Promise<number> {
    return (await stat(this.#path(digest)).catch(() => undefined))?.size ?? 0;
  }

  /**
   * Adds a piece where the upload ends; a piece that is there already is not added again.
   *
   * @throws Failure `request_too_large`, `queue_full`, `invalid_request` if there would be a gap
   */
  async append({
    digest,
    size,
    offset,
    bytes,
  }: {
    readonly digest: string;
    readonly size: number;
    readonly offset: number;
    readonly bytes: Uint8Array;
  }): Promise<FirmwareUploadDocument> {
    const { maximumImageSize } = this.#options.bounds;
    if (size > maximumImageSize) {
      throw new Failure('request_too_large', `The image has ${size} bytes; the bound is ${maximumImageSize}.`, {
        cure: 'Make the image smaller, or raise firmware.maximumImageSize.',
      });
    }
    const received = await this.received(digest);
    if (offset > received || offset + bytes.length > size) {
      throw new Failure(
        'invalid_request',
        `The upload has ${received} of ${size} bytes; a piece at ${offset} does not fit.`,
        {
          cure: 'Ask how much has been received and go on from there.',
        },
      );
    }
    if (received === 0) await this.#admit(size);
    const fresh = bytes.subarray(received - offset);
    if (fresh.length > 0) {
      const file = await open(this.#path(digest), 'a', 0o600);
      try {
        await file.writeFile(fresh);
      } finally {
        await file.close();
      }
    }
    return { digest, size, received: received + fresh.length };
  }

  /**
   * Moves a complete upload to its place.
   *
   * @throws Failure `not_found` if it is not complete, `invalid_request` if its bytes are not those of its digest
   */
  async finish({
    digest,
    size,
    destination,
  }: {
    readonly digest: string;
    readonly size: number;
    readonly destination: string;
  }): Promise<void> {
    const path = this.#path(digest);
    if ((await this.received(digest)) !== size) {
      throw new Failure('not_found', `The image ${digest.slice(0, 16)} has not been uploaded whole.`, {
        cure: 'Upload it first; `sallyport firmware release` does both.',
      });
    }
    if ((await digestOfFile(path)) !== digest) {
      await rm(path, { force: true });
      throw new Failure('invalid_request', 'The image that was uploaded does not have the digest that was announced.', {
        cure: 'Upload it again, from a file that does not change meanwhile.',
      });
    }
    const file = await open(path, 'r');
    await file.sync();
    await file.close();
    await rename(path, destination);
  }

  /** Removes what nobody went on with. */
  async sweep(): Promise<void> {
    const { folder, now } = this.#options;
    for (const name of await readdir(folder.uploads).catch(() => [])) {
      const path = join(folder.uploads, name);
      const found = await stat(path).catch(() => undefined);
      if (found && found.mtimeMs < now() - ABANDONED_AFTER) await rm(path, { force: true });
    }
  }

  async #admit(size: number): Promise<void> {
    const { folder, bounds } = this.#options;
    await this.sweep();
    const under = await readdir(folder.uploads);
    if (under.length >= bounds.maximumUploads) {
      throw new Failure('queue_full', `${under.length} uploads are under way; the bound is ${bounds.maximumUploads}.`, {
        cure: 'Finish one of them, or wait a day until unfinished ones go.',
      });
    }
    if ((await folder.size()) + size > bounds.maximumStoredSize) {
      throw new Failure(
        'request_too_large',
        `The images of the organisation would have more than ${bounds.maximumStoredSize} bytes.`,
        {
          cure: 'Remove releases that no device needs (`sallyport firmware remove`), or raise firmware.maximumStoredSize.',
        },
      );
    }
  }

  #path(digest: string): string {
    return join(this.#options.folder.uploads, `${digest}.part`);
  }
}

async function digestOfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
