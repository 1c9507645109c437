import { createCertificateRequest, generateKeyPair, keyPairToPem } from '@sallyport/trust';

/** A new private key, and the request for a certificate of its public half. */
interface ClientKey {
  /** PKCS#8 PEM. A secret: write it only where its owner alone can read. */
  readonly keyPem: string;
  readonly csrPem: string;
}

/** Makes a P-256 key for a client. It is made where it is called and sent nowhere; only the request is meant to travel. */
export async function createClientKey(commonName: string): Promise<ClientKey> {
  const keys = await generateKeyPair();
  return { keyPem: await keyPairToPem(keys), csrPem: await createCertificateRequest({ keys, commonName }) };
}
