import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '@sallyport/model';
import type { CertificateFacts } from '@sallyport/trust';
import { type AuthorityLine, type EndedLine, loadLine, serverLine } from './authority-line.ts';
import {
  invalid,
  optionalCertificate,
  PROBLEMS,
  requireBelongs,
  requiredCertificate,
  requiredSecret,
  requirePath,
} from './certificate-files.ts';
import { readSecretFile, refuseOpenFolder } from './key-files.ts';
import { ROOT_KEY_FILE } from './root-key.ts';

/** Key material whose parts were found to belong together and whose authorities are in force. */
export interface KeyMaterial {
  readonly root: CertificateFacts;
  readonly rootPem: string;
  /** Issues the certificate of the server itself, unless it has ended. */
  readonly intermediate: AuthorityLine | EndedLine;
  /** Absent if the file was removed: a new one is issued. */
  readonly server?: CertificateFacts;
  readonly serverPem?: string;
  readonly serverKeyPem?: string;
}

/** Reads and checks the folder; undefined if it does not exist or is empty. */
export async function loadKeyMaterial(directory: string, now: number): Promise<KeyMaterial | undefined> {
  if (await isAbsent(directory)) return undefined;
  await refuseOpenFolder(directory);
  const at = (name: string): string => join(directory, name);

  const root = await requiredCertificate(at('root.pem'));
  const rootKeyPem = await readSecretFile(at(ROOT_KEY_FILE));
  if (rootKeyPem !== undefined) requireBelongs(at(ROOT_KEY_FILE), rootKeyPem, root);
  if (root.facts.notAfter < now) throw invalid(root.path, PROBLEMS.expired, ROOT_ENDED_CURE);
  await requirePath(root, root.facts, 'authority', now);

  const line = await loadLine(serverLine(directory), root.facts, now);
  // A new one is made where the root can sign it.
  if (!line.current && rootKeyPem === undefined) {
    const path = at('intermediate.pem');
    throw invalid(
      path,
      `${PROBLEMS.expired}, and ${at(ROOT_KEY_FILE)}, which could certify its successor, is not there`,
      KEY_CURE,
    );
  }

  const server = await optionalCertificate(at('server.pem'));
  const serverKeyPem = server ? await requiredSecret(at('server-key.pem')) : await readSecretFile(at('server-key.pem'));
  if (server && serverKeyPem !== undefined) {
    requireBelongs(at('server-key.pem'), serverKeyPem, server);
    // An expired one is renewed, so only its family is judged, at a time when it was in force.
    await requirePath(server, root.facts, 'server', Math.min(now, server.facts.notAfter));
  }
  return {
    root: root.facts,
    rootPem: root.pem,
    intermediate: line,
    ...(server ? { server: server.facts, serverPem: server.pem } : {}),
    ...(serverKeyPem === undefined ? {} : { serverKeyPem }),
  };
}

const KEY_CURE =
  'Check the clock of this machine. If it is right, bring the key of the root back (`sallyport ca root restore-key FILE`) and start again: the successor is made then.';
const ROOT_ENDED_CURE =
  'Check the clock of this machine. If it is right, certify the root anew (`sallyport ca root renew`, which needs its key), start again, and give root.pem to every client.';

async function isAbsent(directory: string): Promise<boolean> {
  try {
    return (await readdir(directory)).length === 0;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return true;
    throw new Failure('data_directory_unusable', `${directory} cannot be read`, { cause });
  }
}
