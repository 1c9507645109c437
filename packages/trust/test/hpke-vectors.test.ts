import { Aes128Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from '@hpke/core';
import { describe, expect, it } from 'vitest';

/* RFC 9180 appendix A.1.3: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-128-GCM in auth mode. */
const INFO = '4f6465206f6e2061204772656369616e2055726e';
const SK_E = 'ff4442ef24fbc3c1ff86375b0be1e77e88a0de1e79b30896d73411c5ff4c3518';
const PK_E = '23fb952571a14a25e3d678140cd0e5eb47a0961bb18afcf85896e5453c312e76';
const SK_R = 'fdea67cf831f1ca98d8e27b1f6abeb5b7745e9d35348b80fa407ff6958f9137e';
const PK_R = '1632d5c2f71c2b38d0a8fcc359355200caa8b1ffdf28618080466c909cb69b2e';
const SK_S = 'dc4a146313cce60a278a5323d321f051c5707e9c45ba21a3479fecdf76fc69dd';
const PK_S = '8b0c70873dc5aecb7f9ee4e62406a397b350e57012be45cf53b7105ae731790b';
const PLAIN = '4265617574792069732074727574682c20747275746820626561757479';

const suite = new CipherSuite({ kem: new DhkemX25519HkdfSha256(), kdf: new HkdfSha256(), aead: new Aes128Gcm() });
const bytes = (text: string) => Uint8Array.from(Buffer.from(text, 'hex')).buffer;
const hex = (value: ArrayBuffer) => Buffer.from(value).toString('hex');
const pair = async (secret: string, open: string) => ({
  privateKey: await suite.kem.importKey('raw', bytes(secret), false),
  publicKey: await suite.kem.importKey('raw', bytes(open), true),
});

describe('the HPKE suite that sealed payloads stand on', () => {
  it('gives the ciphertexts and exports of RFC 9180 A.1.3 to the sender', async () => {
    const sender = await suite.createSenderContext({
      recipientPublicKey: await suite.kem.importKey('raw', bytes(PK_R), true),
      senderKey: await pair(SK_S, PK_S),
      info: bytes(INFO),
      ekm: await pair(SK_E, PK_E),
    });
    expect(hex(sender.enc)).toBe(PK_E);
    expect(hex(await sender.seal(bytes(PLAIN), bytes('436f756e742d30')))).toBe(
      '5fd92cc9d46dbf8943e72a07e42f363ed5f721212cd90bcfd072bfd9f44e06b80fd17824947496e21b680c141b',
    );
    expect(hex(await sender.export(bytes(''), 32))).toBe(
      '28c70088017d70c896a8420f04702c5a321d9cbf0279fba899b59e51bac72c85',
    );
    expect(hex(await sender.export(bytes('00'), 32))).toBe(
      '25dfc004b0892be1888c3914977aa9c9bbaf2c7471708a49e1195af48a6f29ce',
    );
    expect(hex(await sender.export(bytes('54657374436f6e74657874'), 32))).toBe(
      '5a0131813abc9a522cad678eb6bafaabc43389934adb8097d23c5ff68059eb64',
    );
  });

  it('gives them to the recipient, and to nobody with another sender', async () => {
    const recipientKey = await pair(SK_R, PK_R);
    const enc = bytes(PK_E);
    const info = bytes(INFO);
    const sealed = bytes('5fd92cc9d46dbf8943e72a07e42f363ed5f721212cd90bcfd072bfd9f44e06b80fd17824947496e21b680c141b');
    const senderPublicKey = await suite.kem.importKey('raw', bytes(PK_S), true);
    const recipient = await suite.createRecipientContext({ recipientKey, senderPublicKey, enc, info });
    expect(hex(await recipient.open(sealed, bytes('436f756e742d30')))).toBe(PLAIN);
    const wrong = await suite.createRecipientContext({
      recipientKey,
      senderPublicKey: recipientKey.publicKey,
      enc,
      info,
    });
    await expect(wrong.open(sealed, bytes('436f756e742d30'))).rejects.toThrow();
  });
});
