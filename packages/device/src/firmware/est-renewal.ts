import { createPrivateKey, X509Certificate } from 'node:crypto';
import { request } from 'node:https';
import { Failure } from '@sallyport/model';
import {
  certificatesFromPem,
  createCertificateRequest,
  generateKeyPair,
  keyPairToPem,
  pemOf,
  readCertificate,
  readCertificatesOnly,
} from '@sallyport/trust';
import type { DeviceCertificate } from '../boot/device-certificate.ts';
import { rootCertificate } from '../root-certificate.ts';

/** Has a new certificate issued to a device that shows the one it has. */
export type RenewCertificate = (current: DeviceCertificate) => Promise<DeviceCertificate>;

export interface EstRenewalOptions {
  readonly host: string;
  /** Port of enrolment, where clients are asked for a certificate; 8444 by default. */
  readonly port?: number;
  readonly organisation: string;
  /** Root to trust, PEM or path; the authorities of the runtime if left out. */
  readonly ca?: string;
}

const SILENCE = 30_000;
const LARGEST_ANSWER = 65_536;

/**
 * Renews over EST (RFC 7030 section 4.2.2): a new key is made here and stays here, and the certificate that comes back must be for it and for
 * the same device.
 *
 * The answer rejects with Failure `server_unreachable`, `forbidden`, or `key_material_invalid` if another certificate came than was asked for.
 */
export function estRenewal({ host, port = 8444, organisation, ca }: EstRenewalOptions): RenewCertificate {
  return async (current) => {
    const name = await nameIn(current);
    const keys = await generateKeyPair();
    const key = await keyPairToPem(keys);
    const wanted = await createCertificateRequest({ keys, commonName: name });
    const root = ca === undefined ? {} : { ca: await rootCertificate(ca) };
    const body = wanted.replace(/-----[^-]+-----|\s/g, '');
    const answer = await post(
      { host, port, path: `/.well-known/est/${organisation}/simplereenroll`, ...root, ...current },
      body,
    );
    const [der] = readCertificatesOnly(Buffer.from(answer, 'base64')) ?? [];
    if (!der) throw new Failure('key_material_invalid', 'The server answered the renewal with no certificate.');
    const cert = pemOf('CERTIFICATE', der);
    if ((await nameIn({ cert })) !== name || !new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))) {
      throw new Failure(
        'key_material_invalid',
        'The server answered the renewal with a certificate for another key or device.',
      );
    }
    return { cert, key };
  };
}

/** The name that a certificate gives its owner. */
async function nameIn({ cert }: Pick<DeviceCertificate, 'cert'>): Promise<string> {
  const [der] = certificatesFromPem(cert);
  const read = der && (await readCertificate(der));
  if (read?.ok && read.value.commonName !== undefined) return read.value.commonName;
  throw new Failure('key_material_invalid', 'The certificate of the device has no name that could be renewed.');
}

function post(
  where: {
    readonly host: string;
    readonly port: number;
    readonly path: string;
    readonly ca?: string;
  } & DeviceCertificate,
  body: string,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const unreachable = (cause: Error) =>
      reject(
        new Failure(
          'server_unreachable',
          `The certificate was not renewed at ${where.host}:${where.port}: ${cause.message}.`,
          { cause },
        ),
      );
    const sent = request(
      {
        ...where,
        method: 'POST',
        agent: false,
        minVersion: 'TLSv1.2',
        timeout: SILENCE,
        headers: { 'content-type': 'application/pkcs10', 'content-length': Buffer.byteLength(body) },
      },
      (response) => {
        let text = '';
        response.on('data', (chunk) => {
          text += String(chunk);
          if (text.length > LARGEST_ANSWER) sent.destroy(new Error('the answer is too large'));
        });
        response.on('error', unreachable);
        response.on('end', () =>
          response.statusCode === 200 ? resolve(text) : reject(refusal(response.statusCode, text)),
        );
      },
    );
    sent.on('timeout', () => sent.destroy(new Error('no answer in time')));
    sent.on('error', unreachable);
    sent.end(body);
  });
}

function refusal(status: number | undefined, text: string): Failure {
  let detail = `status ${status}`;
  let ticket: string | undefined;
  try {
    const problem = JSON.parse(text) as { detail?: string; ticket?: string };
    detail = problem.detail ?? detail;
    ticket = problem.ticket;
  } catch {
    // Not from a Sallyport server; the status says what there is to say.
  }
  return new Failure(
    'forbidden',
    `The certificate was not renewed: ${detail}${ticket === undefined ? '' : ` (ticket ${ticket})`}`,
    ticket === undefined ? {} : { cure: `Run \`sallyport explain ${ticket}\` where the server runs.` },
  );
}
