import { type Parsed, parsed, unparsed } from '@sallyport/model';
import { CERTIFICATE_BYTES_MAXIMUM } from './certificate.ts';
import { type KeyPair, type PublicKey, SIGNATURE_ALGORITHM } from './key-pair.ts';
import { derFromPem, pemOf } from './pem.ts';
import { isSignedStructure } from './strict-der.ts';
import { x509 } from './x509-library.ts';

/** A request whose signature was checked: who sent it holds the private key. Its names are wishes. */
export interface CertificateRequest {
  readonly der: Uint8Array;
  readonly subject: string;
  readonly commonName?: string;
  readonly publicKey: PublicKey;
}

/** Makes a PKCS#10 request (RFC 2986) in PEM; names and addresses become its alternative names. */
export async function createCertificateRequest(options: {
  readonly keys: KeyPair;
  readonly commonName: string;
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
}): Promise<string> {
  const { dnsNames = [], ipAddresses = [] } = options;
  const names: x509.JsonGeneralNames = [
    ...dnsNames.map((value) => ({ type: 'dns' as const, value })),
    ...ipAddresses.map((value) => ({ type: 'ip' as const, value })),
  ];
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: [{ CN: [{ utf8String: options.commonName }] }] as unknown as string,
    keys: options.keys,
    signingAlgorithm: SIGNATURE_ALGORITHM,
    ...(names.length > 0 ? { extensions: [new x509.SubjectAlternativeNameExtension(names)] } : {}),
  });
  return pemOf('CERTIFICATE REQUEST', new Uint8Array(request.rawData));
}

/** Reads a PKCS#10 request from DER or PEM and checks that its sender holds the private key. */
export async function readCertificateRequest(input: Uint8Array | string): Promise<Parsed<CertificateRequest>> {
  const der =
    typeof input === 'string'
      ? (derFromPem(input, 'CERTIFICATE REQUEST')[0] ?? derFromPem(input, 'NEW CERTIFICATE REQUEST')[0])
      : input;
  if (!der) return unparsed('the text holds no certificate request in PEM form');
  if (der.length > CERTIFICATE_BYTES_MAXIMUM) return unparsed('the certificate request is too large');
  if (!isSignedStructure(der)) return unparsed('the bytes are not a certificate request');
  try {
    const request = new x509.Pkcs10CertificateRequest(Uint8Array.from(der));
    if (!(await request.verify())) return unparsed('the signature of the certificate request is wrong');
    const { modulusLength } = request.publicKey.algorithm as { readonly modulusLength?: number };
    if (modulusLength !== undefined && modulusLength < 2048) {
      return unparsed('the key of the certificate request is too short: RSA needs 2048 bits or more');
    }
    const commonName = request.subjectName.getField('CN').at(-1);
    return parsed({
      der: Uint8Array.from(der),
      subject: request.subject,
      ...(commonName === undefined ? {} : { commonName }),
      publicKey: await request.publicKey.export(),
    });
  } catch {
    return unparsed('the bytes are not a certificate request, or its key is of a kind that is not supported');
  }
}
