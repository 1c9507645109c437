import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface ServerCertificate {
  readonly keyFile: string;
  readonly certificateFile: string;
  /** PEM. */
  readonly certificate: string;
}

/** Makes a self-signed P-256 certificate for localhost, good for a day; the kind of key that Sallyport's own servers have. */
export function makeServerCertificate(folder: string): ServerCertificate {
  const keyFile = join(folder, 'server.key');
  const certificateFile = join(folder, 'server.pem');
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', keyFile];
  execFileSync('openssl', ['req', '-x509', ...key, '-out', certificateFile, '-days', '1', ...subject], {
    stdio: 'pipe',
  });
  return { keyFile, certificateFile, certificate: readFileSync(certificateFile, 'utf8') };
}
