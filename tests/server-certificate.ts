import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/** A certificate for localhost and 127.0.0.1 with its key, made by openssl in a folder of the test. It is its own authority. */
export function serverCertificate(openssl: string, folder: string): { readonly cert: string; readonly key: string } {
  const [cert, key] = [join(folder, 'server.pem'), join(folder, 'server-key.pem')];
  const names = 'subjectAltName=DNS:localhost,IP:127.0.0.1';
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  const subject = ['-subj', '/CN=localhost', '-addext', names, '-keyout', key, '-out', cert];
  execFileSync(openssl, ['req', '-x509', ...curve, ...subject], { stdio: 'ignore' });
  return { cert, key };
}
