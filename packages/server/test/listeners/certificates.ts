import {
  createRootAuthority,
  generateKeyPair,
  issueClientCertificate,
  issueServerCertificate,
  keyPairToPem,
} from '@sallyport/trust';
import type { ServerCredentials } from '../../src/authority/authority.ts';

const DAY = 24 * 60 * 60_000;

export interface TestAuthority {
  readonly rootPem: string;
  server(): Promise<ServerCredentials>;
  client(commonName: string, now?: number, validity?: number): Promise<{ readonly key: string; readonly cert: string }>;
}

/** A small authority for the tests of one file. */
export async function testAuthority(): Promise<TestAuthority> {
  const authority = await createRootAuthority({
    commonName: 'Test root',
    now: Date.now() - 9 * DAY,
    validity: 99 * DAY,
  });
  const rootPem = authority.pem;
  return {
    rootPem,
    async server() {
      const keys = await generateKeyPair();
      const issued = await issueServerCertificate({
        authority,
        publicKey: keys.publicKey,
        dnsNames: ['localhost', 'demo.messaging.example'],
        ipAddresses: ['127.0.0.1', '::1'],
        now: Date.now(),
      });
      return { key: await keyPairToPem(keys), cert: issued.chainPem, ca: rootPem };
    },
    async client(commonName, now = Date.now(), validity = DAY) {
      const keys = await generateKeyPair();
      const issued = await issueClientCertificate({ authority, publicKey: keys.publicKey, commonName, now, validity });
      return { key: await keyPairToPem(keys), cert: issued.chainPem };
    },
  };
}
