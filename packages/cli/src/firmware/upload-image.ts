import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { Management } from '@sallyport/application/management';
import { Failure } from '@sallyport/model';

const PIECE = 512 * 1024;

/** An image on disk, as its release will name it. */
export interface ImageFacts {
  readonly digest: string;
  readonly size: number;
}

/**
 * Uploads what the server does not have yet, piece by piece. `say` hears how far it is.
 *
 * @throws Failure `invalid_request` if the file cannot be read or is empty
 */
export async function uploadImage(
  management: Pick<Management, 'firmware'>,
  organisation: string,
  path: string,
  say: (text: string) => void,
): Promise<ImageFacts> {
  const file = await open(path, 'r').catch((cause: unknown) => {
    throw new Failure('invalid_request', `The image ${path} cannot be read.`, { cause, cure: 'Check its path.' });
  });
  try {
    const { size } = await file.stat();
    if (size === 0) throw new Failure('invalid_request', `The image ${path} is empty.`, { cure: 'Check its path.' });
    const digest = await digestOf(path);
    let offset = await management.firmware.received(organisation, digest);
    if (offset > 0) say(`goes on at ${percent(offset, size)}`);
    let said = 0;
    while (offset < size) {
      const bytes = await pieceAt(file, offset, Math.min(PIECE, size - offset));
      ({ received: offset } = await management.firmware.upload(organisation, { digest, size, offset, bytes }));
      const tenth = Math.floor((offset * 10) / size);
      if (tenth > said) say(percent(offset, size));
      said = tenth;
    }
    return { digest, size };
  } finally {
    await file.close();
  }
}

async function pieceAt(file: FileHandle, offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  const { bytesRead } = await file.read(bytes, 0, length, offset);
  if (bytesRead === length) return bytes;
  throw new Failure('invalid_request', 'The image became shorter while it was read.', {
    cure: 'Release a file that nobody writes any more.',
  });
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

function percent(part: number, whole: number): string {
  return `${Math.floor((part * 100) / whole)} % of ${whole} bytes`;
}
