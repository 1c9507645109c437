import { Failure } from '@sallyport/model';
import { httpsPost } from './https-post.ts';

export interface Pair {
  /** PEM: the certificate, and those above it. */
  readonly cert: string;
  readonly key: string;
}

export interface EstPlace {
  /** Address of EST with or without the organisation: `https://HOST:8444/.well-known/est`. */
  readonly est: string;
  readonly ca?: string;
}

/**
 * Renews a certificate with itself over EST (RFC 7030 section 4.2.2): a new key on P-256, the same name. The answer is believed only if it
 * is for the new key and the same name, and holds no shorter.
 *
 * @throws Failure `certificate_not_renewed`
 */
export async function renewByEst({ est, ca }: EstPlace, present: Pair, signal: AbortSignal): Promise<Pair> {
  const { X509Certificate, createPrivateKey } = await import('node:crypto');
  const { certificatesFromPem, createCertificateRequest, generateKeyPair, keyPairToPem, pemOf, readCertificatesOnly } =
    await import('@sallyport/trust');
  const [leaf, ...above] = certificatesFromPem(present.cert).map((der) => new X509Certificate(der));
  if (leaf === undefined) throw notRenewed('the present certificate cannot be read');
  const keys = await generateKeyPair();
  const commonName = /^CN=(.+)$/m.exec(leaf.subject)?.[1] ?? '';
  const request = await createCertificateRequest({ keys, commonName });
  const body = request.replace(/-----[A-Z ]+-----\n/g, '');
  const answer = await asked(`${est.replace(/\/$/, '')}/simplereenroll`, ca, present, body, signal);
  const [der, ...others] = readCertificatesOnly(Buffer.from(answer, 'base64')) ?? [];
  if (der === undefined || others.length > 0) throw notRenewed('the answer is not one certificate');
  const key = await keyPairToPem(keys);
  const renewed = read(der);
  if (!renewed.checkPrivateKey(createPrivateKey(key))) throw notRenewed('the new certificate is for another key');
  if (renewed.subject !== leaf.subject) throw notRenewed('the new certificate is for another name');
  if (Date.parse(renewed.validTo) < Date.parse(leaf.validTo)) throw notRenewed('the new certificate ends earlier');
  if (renewed.ca) throw notRenewed('the new certificate is that of an authority');
  const chain = above[0] !== undefined && renewed.checkIssued(above[0]) ? above : [];
  return { key, cert: [der, ...chain.map(({ raw }) => raw)].map((each) => pemOf('CERTIFICATE', each)).join('') };

  function read(bytes: Uint8Array) {
    try {
      return new X509Certificate(bytes);
    } catch (cause) {
      throw notRenewed('the new certificate cannot be read', { cause });
    }
  }
}

async function asked(
  address: string,
  ca: string | undefined,
  pair: Pair,
  body: string,
  signal: AbortSignal,
): Promise<string> {
  const headers = { 'content-type': 'application/pkcs10', 'content-transfer-encoding': 'base64' };
  const answer = await httpsPost({ address, ca, pair, body, headers }, signal).catch((cause: unknown) => {
    signal.throwIfAborted();
    const { message, cure } = cause as Failure;
    throw notRenewed(message.replace(/\.$/, ''), { cause, cure });
  });
  const { status, text } = answer;
  if (status === 200) return text;
  const { detail, ticket } = problemIn(text);
  const told = ticket === undefined ? {} : { cure: `Run \`sallyport explain ${ticket}\` where the server runs.` };
  const why = detail ?? `the server answered with status ${status}`;
  throw notRenewed(`${why.replace(/\.$/, '')}${ticket === undefined ? '' : ` (ticket ${ticket})`}`, told);
}

/** What a refusal says of itself (RFC 9457), if it is one of a Sallyport server. */
function problemIn(text: string): { readonly detail?: string; readonly ticket?: string } {
  try {
    const { detail, ticket } = JSON.parse(text) as Readonly<Record<string, unknown>>;
    return {
      ...(typeof detail === 'string' && /^[\x20-\x7e]{1,200}$/.test(detail) ? { detail } : {}),
      ...(typeof ticket === 'string' && /^[0-9A-Z]{6}$/.test(ticket) ? { ticket } : {}),
    };
  } catch {
    return {};
  }
}

function notRenewed(why: string, more: { readonly cause?: unknown; readonly cure?: string } = {}): Failure {
  return new Failure('certificate_not_renewed', `The certificate was not renewed: ${why}.`, more);
}
