import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';

export type ScramName = 'SCRAM-SHA-256' | 'SCRAM-SHA-512';

/** The client's side of SCRAM (RFC 5802 section 3), written from the RFC and not from the server. */
export class ScramClient {
  readonly method: ScramName;
  readonly first: string;
  readonly nonce: string;
  serverSignature = '';
  readonly #password: string;
  readonly #bare: string;
  readonly #header: string;

  constructor(
    method: ScramName,
    username: string,
    password: string,
    header = 'n,,',
    nonce = randomBytes(18).toString('base64'),
  ) {
    this.method = method;
    this.#password = password;
    this.#header = header;
    this.nonce = nonce;
    this.#bare = `n=${username.replace(/=/g, '=3D').replace(/,/g, '=2C')},r=${nonce}`;
    this.first = header + this.#bare;
  }

  /** The last message; `changes` are to what would be right. */
  final(serverFirst: string, changes: { header?: string; nonce?: string; proof?: Buffer } = {}): string {
    const [nonce = '', salt = '', iterations = ''] = serverFirst.split(',').map((part) => part.slice(2));
    const name = this.method === 'SCRAM-SHA-256' ? 'sha256' : 'sha512';
    const length = name === 'sha256' ? 32 : 64;
    const hmac = (key: Buffer, text: string) => createHmac(name, key).update(text).digest();
    const salted = pbkdf2Sync(this.#password, Buffer.from(salt, 'base64'), Number(iterations), length, name);
    const clientKey = hmac(salted, 'Client Key');
    const binding = Buffer.from(changes.header ?? this.#header).toString('base64');
    const withoutProof = `c=${binding},r=${changes.nonce ?? nonce}`;
    const message = `${this.#bare},${serverFirst},${withoutProof}`;
    const signature = hmac(createHash(name).update(clientKey).digest(), message);
    const proof = changes.proof ?? Buffer.from(clientKey.map((byte, at) => byte ^ signature[at]!));
    this.serverSignature = hmac(hmac(salted, 'Server Key'), message).toString('base64');
    return `${withoutProof},p=${proof.toString('base64')}`;
  }
}
