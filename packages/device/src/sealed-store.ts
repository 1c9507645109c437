import { Failure } from '@sallyport/model';

/** A small memory of a device that survives a restart: one JSON value, written whole. */
export interface DeviceStore {
  /** What was written last; undefined if nothing ever was. */
  read(): Promise<unknown>;
  write(value: unknown): Promise<void>;
}

/** A counter that cannot be turned back: in a TPM, in RPMB of an eMMC, or at a place that an attacker cannot write. */
export interface RollbackAnchor {
  read(): Promise<number>;
  write(generation: number): Promise<void>;
}

export interface SealedStoreOptions {
  readonly file: string;
  /** At least 16 bytes that only this device has: a fused key, a secret of its secure element. The file is worth nothing without it. */
  readonly secret: Uint8Array;
  /** Without one, a file FILE.generation stands beside: it reveals that one of the two was put back, not both. */
  readonly anchor?: RollbackAnchor;
}

const MAGIC = Uint8Array.from([0x53, 0x50, 0x53, 0x31]);
const SALT = 16;
const NONCE = 12;
/** Magic, salt, generation, nonce. */
const HEAD = MAGIC.length + SALT + 8 + NONCE;
const SHORTEST_SECRET = 16;
/** No memory of a device is larger, in bytes. */
const LARGEST = 1_048_576;
const INFO = 'sallyport sealed store';

/** A memory that is gone with the process: for devices without storage, and for browsers. */
export function memoryStore(): DeviceStore {
  let kept: string | undefined;
  return {
    read: async () => (kept === undefined ? undefined : (JSON.parse(kept) as unknown)),
    write: async (value) => {
      kept = JSON.stringify(value);
    },
  };
}

/**
 * A file that only this device can read and nobody can change unnoticed: AES-256-GCM under a key that HKDF-SHA256 derives from the
 * secret and a new salt at each write. A crash leaves the old content or the new one.
 *
 * `read` fails with `key_material_invalid` if the file was changed, is of another device, or is older than what was written last.
 */
export function sealedStore({ file, secret, anchor = besideFile(file) }: SealedStoreOptions): DeviceStore {
  if (secret.length < SHORTEST_SECRET) {
    throw new Failure('key_material_invalid', `The secret of a sealed store has ${secret.length} bytes.`, {
      cure: `Use ${SHORTEST_SECRET} random bytes or more, kept where only this device can read them.`,
    });
  }
  let generation: number | undefined;
  let writing: Promise<unknown> = Promise.resolve();

  const read = async (): Promise<unknown> => {
    const bytes = await contentOf(file);
    const least = await anchor.read();
    if (bytes === undefined) {
      if (least > 0) throw damaged(file, 'is missing, and it was there before');
      generation = 0;
      return undefined;
    }
    const opened = await open(bytes, secret, file);
    if (opened.generation < least) throw damaged(file, 'is older than what was written last: it was put back');
    generation = opened.generation;
    return opened.value;
  };

  const write = async (value: unknown): Promise<void> => {
    if (generation === undefined) await read();
    const next = (generation ?? 0) + 1;
    await replace(file, await seal(value, next, secret));
    // The content first: a crash between the two leaves a file that is newer than its anchor, which is no rollback.
    await anchor.write(next);
    generation = next;
  };

  return {
    read: () => {
      const result = writing.then(read);
      writing = result.catch(() => {});
      return result;
    },
    write: (value) => {
      const result = writing.then(() => write(value));
      writing = result.catch(() => {});
      return result;
    },
  };
}

async function seal(value: unknown, generation: number, secret: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const plain = new TextEncoder().encode(JSON.stringify(value));
  if (plain.length > LARGEST) throw new Failure('queue_full', `A sealed store holds at most ${LARGEST} bytes.`);
  const head = new Uint8Array(HEAD);
  head.set(MAGIC);
  crypto.getRandomValues(head.subarray(MAGIC.length, MAGIC.length + SALT));
  new DataView(head.buffer).setBigUint64(MAGIC.length + SALT, BigInt(generation));
  crypto.getRandomValues(head.subarray(HEAD - NONCE));
  const key = await keyFor(secret, head);
  const sealed = await crypto.subtle.encrypt(parameters(head), key, plain);
  return Uint8Array.from([...head, ...new Uint8Array(sealed)]);
}

async function open(bytes: Uint8Array<ArrayBuffer>, secret: Uint8Array, file: string) {
  const head = bytes.slice(0, HEAD);
  if (bytes.length > LARGEST + HEAD + 16 || MAGIC.some((byte, at) => head[at] !== byte) || head.length < HEAD) {
    throw damaged(file, 'is no sealed store');
  }
  try {
    const plain = await crypto.subtle.decrypt(parameters(head), await keyFor(secret, head), bytes.slice(HEAD));
    const value = JSON.parse(new TextDecoder().decode(plain)) as unknown;
    return { value, generation: Number(new DataView(head.buffer).getBigUint64(MAGIC.length + SALT)) };
  } catch {
    throw damaged(file, 'was changed, or sealed by another device');
  }
}

/** The whole head is authenticated, so that the generation cannot be edited. */
function parameters(head: Uint8Array<ArrayBuffer>) {
  return { name: 'AES-GCM', iv: head.slice(HEAD - NONCE), additionalData: head };
}

async function keyFor(secret: Uint8Array, head: Uint8Array<ArrayBuffer>) {
  const material = await crypto.subtle.importKey('raw', Uint8Array.from(secret), 'HKDF', false, ['deriveKey']);
  const salt = head.slice(MAGIC.length, MAGIC.length + SALT);
  const info = new TextEncoder().encode(INFO);
  return crypto.subtle.deriveKey(
    { name: 'HKDF', hash: 'SHA-256', salt, info },
    material,
    { name: 'AES-GCM', length: 256 },
    false,
    ['encrypt', 'decrypt'],
  );
}

function besideFile(file: string): RollbackAnchor {
  const path = `${file}.generation`;
  return {
    async read() {
      const bytes = await contentOf(path);
      if (bytes === undefined) return 0;
      const text = new TextDecoder().decode(bytes);
      if (!/^\d{1,15}\n$/.test(text)) throw damaged(path, 'is no generation');
      return Number(text);
    },
    write: (generation) => replace(path, new TextEncoder().encode(`${generation}\n`)),
  };
}

function damaged(file: string, problem: string): Failure {
  return new Failure('key_material_invalid', `${file} ${problem}.`, {
    cure: 'Find out who could write it. Then remove it together with its .generation file, and provision the device anew.',
  });
}

async function contentOf(path: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  // Loaded on demand: a browser has no file system.
  const { readFile } = await import('node:fs/promises');
  try {
    return Uint8Array.from(await readFile(path));
  } catch (cause) {
    if ((cause as { code?: string }).code === 'ENOENT') return undefined;
    throw new Failure('store_unavailable', `${path} cannot be read.`, { cause });
  }
}

/** Written aside, flushed, renamed, and the folder flushed: whole or not at all, also when power fails. */
async function replace(path: string, bytes: Uint8Array): Promise<void> {
  const { open: openFile, rename, rm } = await import('node:fs/promises');
  const { dirname } = await import('node:path');
  const aside = `${path}.${toHex(crypto.getRandomValues(new Uint8Array(6)))}.tmp`;
  try {
    const handle = await openFile(aside, 'wx', 0o600);
    try {
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(aside, path);
    if (globalThis.process?.platform === 'win32') return;
    const folder = await openFile(dirname(path), 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  } catch (cause) {
    await rm(aside, { force: true });
    throw new Failure('store_unavailable', `${path} cannot be written.`, {
      cause,
      cure: 'Check free space and permissions of its folder.',
    });
  }
}

function toHex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
