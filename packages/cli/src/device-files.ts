import { X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure, parseDeviceId } from '@sallyport/model';
import { createCertificateRequest, keyPairFromPem } from '@sallyport/trust';
import { pkcs12Of } from '@sallyport/trust/secrets';
import { createClientKey } from './client-key.ts';
import { writeNewFile } from './pem-file.ts';

/** Key and certificate files of many devices in one folder. */
export interface DeviceFiles {
  /** True if the certificate of this device is there. `invalid_request` if a file of its name is something else. */
  isPresent(id: string): Promise<boolean>;
  /** Makes the key of a device, or takes the one that a run which broke off has left, and answers a request for it. */
  begin(id: string): Promise<{ readonly csr: string; keep(chainPem: string): Promise<void> }>;
}

/**
 * `ID.pem` and `ID-key.pem` for each device; with a password one file `ID.p12`, and the key never lies on the disk in clear. The key is safe
 * before anything is issued for it.
 */
export function deviceFiles({
  folder,
  type,
  password,
}: {
  readonly folder: string;
  readonly type: string;
  readonly password: string | undefined;
}): DeviceFiles {
  const at = (id: string, suffix: string): string => join(folder, `${id}${suffix}`);
  return {
    async isPresent(id) {
      requireId(id);
      if (password !== undefined) return exists(at(id, '.p12'));
      const path = at(id, '.pem');
      const text = await textOf(path);
      if (text === undefined) return false;
      // Devices of another type may have the same ids, and their certificates would be taken for these.
      if (
        commonNameIn(text)
          ?.match(/^[dg]:([^:]+):(.+)$/)
          ?.slice(1)
          .join(' ') === `${type} ${id}`
      )
        return true;
      throw new Failure('invalid_request', `${path} is there and holds no certificate of ${type}/${id}.`, {
        cure: 'Name another folder with --out, or move the file away.',
      });
    },
    async begin(id) {
      if (password !== undefined) {
        const { keyPem, csrPem } = await createClientKey(id);
        return {
          csr: csrPem,
          keep: async (chainPem) =>
            writeNewFile(at(id, '.p12'), await pkcs12Of({ keyPem, chainPem, password, name: id }), { secret: true }),
        };
      }
      return {
        csr: await requestWithKey(id, at(id, '-key.pem')),
        keep: (chainPem) => writeNewFile(at(id, '.pem'), chainPem, { secret: false }),
      };
    },
  };
}

/** Ids come from a file, and become names of files. */
function requireId(id: string): void {
  const read = parseDeviceId(id);
  if (!read.ok) throw new Failure('invalid_request', `"${id.slice(0, 64)}" is no id of a device: ${read.problem}.`);
}

async function requestWithKey(id: string, keyFile: string): Promise<string> {
  const left = await textOf(keyFile);
  if (left === undefined) {
    const { keyPem, csrPem } = await createClientKey(id);
    await writeNewFile(keyFile, keyPem, { secret: true });
    return csrPem;
  }
  try {
    return await createCertificateRequest({ keys: await keyPairFromPem(left), commonName: id });
  } catch {
    // No cause: a parser's error could quote a piece of the key.
    throw new Failure('invalid_request', `${keyFile} is there and holds no P-256 key.`, {
      cure: 'Move the file away.',
    });
  }
}

function commonNameIn(pem: string): string | undefined {
  try {
    return /^CN=(.+)$/m.exec(new X509Certificate(pem).subject)?.[1];
  } catch {
    return undefined;
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new Failure('invalid_request', `${path} cannot be read.`, { cause, cure: 'Check its permissions.' });
  }
}
