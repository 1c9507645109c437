// @ts-check
/**
 * Test vectors of docs/reference/signed-commands.md and docs/reference/sealed-payloads.md, made from fixed keys. The keys are for
 * tests alone: anybody can read them. Signatures are EdDSA, which has no random numbers, so that each run writes the same.
 */
import { createHash, createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** @type {any} */
const trust = await import(new URL('../packages/trust/dist/index.js', import.meta.url).href);

/** 32 bytes that everybody can make again. @param {string} label */
const seed = (label) => createHash('sha256').update(`sallyport test vector: ${label}`).digest();
/** @param {Uint8Array} bytes */
const hex = (bytes) => Buffer.from(bytes).toString('hex');
/** @param {Uint8Array} bytes */
const text = (bytes) => Buffer.from(bytes).toString('latin1');

/** The private key of a seed as JWK. @param {'Ed25519' | 'X25519'} crv @param {string} label */
async function okp(crv, label) {
  const d = seed(label);
  // PKCS#8 of RFC 8410 in front of the 32 bytes.
  const oid = crv === 'Ed25519' ? '70' : '6e';
  const pkcs8 = Buffer.concat([Buffer.from(`302e020100300506032b65${oid}04220420`, 'hex'), d]);
  /** @type {('sign' | 'deriveBits')[]} */
  const usages = crv === 'Ed25519' ? ['sign'] : ['deriveBits'];
  const key = await crypto.subtle.importKey('pkcs8', pkcs8, crv, true, usages);
  const { x } = await crypto.subtle.exportKey('jwk', key);
  return { kty: 'OKP', crv, x, d: d.toString('base64url') };
}

const application = {
  signing: await okp('Ed25519', 'application signing'),
  sealing: await okp('X25519', 'application sealing'),
};
const device = { signing: await okp('Ed25519', 'device signing'), sealing: await okp('X25519', 'device sealing') };
/** @param {{ signing: any, sealing: any }} keys */
async function ready({ signing, sealing }) {
  const signer = await trust.signerOf(signing);
  const seal = await trust.sealingKeyOf(sealing);
  return { signer, seal, keyId: await trust.keyIdOf(signer.publicKey.bytes, seal.publicKey) };
}
const desk = await ready(application);
const pump = await ready(device);
const DESK = 'application:demo/desk';
const PUMP = 'device:demo/pump/pump-7';
const prefix = 'iot-2/type/pump/id/pump-7';

/** @param {'cose' | 'jws'} encoding */
async function command(encoding) {
  const signed = {
    application: DESK,
    device: PUMP,
    topic: `${prefix}/cmd/restart/fmt/${encoding}`,
    sequence: 1772366400000,
    issuedAt: 1772366400000,
    expiresAt: 1772366520000,
    format: 'json',
    content: new TextEncoder().encode('{"delay":5}'),
  };
  return trust.signCommand(encoding, signed, desk.signer, desk.keyId);
}

/** @param {'cose' | 'jws'} encoding @param {Uint8Array} refused */
async function refusal(encoding, refused) {
  const topic = `${prefix}/cmd/restart/fmt/${encoding}`;
  const message = await trust.messageId(refused);
  const said = { device: PUMP, topic, reason: 'replayed', at: 1772366410000, message };
  return trust.signRefusal(encoding, said, pump.signer, pump.keyId);
}

/** @param {any} keys */
const keyTable = (keys) =>
  Object.entries(keys)
    .map(
      ([name, { x, d }]) =>
        `| ${name} | \`${hex(Buffer.from(d, 'base64url'))}\` | \`${hex(Buffer.from(x, 'base64url'))}\` |`,
    )
    .join('\n');

const KEYS = `| key | private, 32 bytes | public, 32 bytes |
| --- | --- | --- |
${keyTable({
  'application, Ed25519': application.signing,
  'application, X25519': application.sealing,
  'device, Ed25519': device.signing,
  'device, X25519': device.sealing,
})}

Key id of the application: \`${desk.keyId}\` (\`${hex(Buffer.from(desk.keyId, 'base64url'))}\`). Key id of the device: \`${pump.keyId}\`
(\`${hex(Buffer.from(pump.keyId, 'base64url'))}\`).`;

/** @param {string} title @param {string} body */
const block = (title, body) => `${title}\n\n\`\`\`text\n${body.match(/.{1,120}/g)?.join('\n')}\n\`\`\``;

async function signedCommands() {
  const cose = await command('cose');
  const jws = await command('jws');
  return [
    KEYS,
    block(`Command as COSE_Sign1, ${cose.length} bytes in hexadecimal:`, hex(cose)),
    block(`The same as JWS, ${jws.length} characters (the lines are one):`, text(jws)),
    block('Refusal of the first as COSE_Sign1, reason `replayed`:', hex(await refusal('cose', cose))),
    block('Refusal of the second as JWS:', text(await refusal('jws', jws))),
  ].join('\n\n');
}

/**
 * A session with a fixed ephemeral key, by RFC 9180 with nothing but WebCrypto: a second opinion on the library.
 * @param {any} parties
 */
async function session(parties) {
  const ephemeral = await okp('X25519', 'ephemeral');
  const { extract, expand } = labelled('KEM', Buffer.from('0020', 'hex'));
  /** @param {any} own @param {any} other */
  const dh = async (own, other) => {
    const privateKey = (await trust.sealingKeyOf(own)).pair.privateKey;
    const publicKey = await crypto.subtle.importKey('raw', Buffer.from(other.x, 'base64url'), 'X25519', true, []);
    return Buffer.from(await crypto.subtle.deriveBits({ name: 'X25519', public: publicKey }, privateKey, 256));
  };
  const point = (/** @type {any} */ key) => Buffer.from(key.x, 'base64url');
  const shared = Buffer.concat([
    await dh(ephemeral, application.sealing),
    await dh(device.sealing, application.sealing),
  ]);
  const kemContext = Buffer.concat([point(ephemeral), point(application.sealing), point(device.sealing)]);
  const secret = expand(extract(Buffer.alloc(0), 'eae_prk', shared), 'shared_secret', kemContext, 32);
  const suite = labelled('HPKE', Buffer.from('002000010001', 'hex'));
  const info = Buffer.from(trust.sessionInfo(parties));
  const context = Buffer.concat([
    Buffer.from([2]),
    suite.extract(Buffer.alloc(0), 'psk_id_hash', Buffer.alloc(0)),
    suite.extract(Buffer.alloc(0), 'info_hash', info),
  ]);
  const scheduled = suite.extract(secret, 'secret', Buffer.alloc(0));
  const exporter = suite.expand(scheduled, 'exp', context, 32);
  const key = suite.expand(exporter, 'sec', Buffer.from('sallyport-sealed-1 key'), 16);
  const iv = suite.expand(exporter, 'sec', Buffer.from('sallyport-sealed-1 iv'), 12);
  return { ephemeral, info, exporter, key, iv };
}

/** LabeledExtract and LabeledExpand of RFC 9180 section 4. @param {string} kind @param {Buffer} ids */
function labelled(kind, ids) {
  const id = Buffer.concat([Buffer.from(kind), ids]);
  const version = Buffer.from('HPKE-v1');
  return {
    /** @param {Buffer} salt @param {string} label @param {Buffer} ikm */
    extract: (salt, label, ikm) => hmac(salt, Buffer.concat([version, id, Buffer.from(label), ikm])),
    /** @param {Buffer} prk @param {string} label @param {Buffer} info @param {number} length */
    expand: (prk, label, info, length) => {
      const head = Buffer.from([length >> 8, length & 255]);
      const whole = Buffer.concat([head, version, id, Buffer.from(label), info, Buffer.from([1])]);
      return hmac(prk, whole).subarray(0, length);
    },
  };
}

/** @param {Buffer} key @param {Buffer} message */
function hmac(key, message) {
  return createHmac('sha256', key).update(message).digest();
}

async function sealedPayloads() {
  const parties = {
    sender: PUMP,
    senderKeyId: pump.keyId,
    recipient: DESK,
    recipientKeyId: desk.keyId,
    session: 1772366400000,
  };
  const { ephemeral, info, exporter, key, iv } = await session(parties);
  const keys = {
    key: await crypto.subtle.importKey('raw', key, 'AES-GCM', false, ['encrypt', 'decrypt']),
    iv: Uint8Array.from(iv),
  };
  const encapsulated = Uint8Array.from(Buffer.from(ephemeral.x ?? '', 'base64url'));
  // The library, as the recipient, must come to the same keys.
  const joined = await trust.joinSession(parties, desk.seal, pump.seal.publicKey, encapsulated);
  if (hex(joined.iv) !== hex(iv)) throw new Error('the library and RFC 9180 do not agree');
  const header = {
    senderKeyId: pump.keyId,
    recipientKeyId: desk.keyId,
    session: parties.session,
    encapsulated,
    counter: 7,
  };
  const content = { format: 'json', bytes: new TextEncoder().encode('{"level":42}') };
  const parts = [
    block(
      'Ephemeral private key and encapsulated key (its public half):',
      `${hex(seed('ephemeral'))}\n${hex(encapsulated)}`,
    ),
    block('`info` of the session:', hex(info)),
    block('Exporter secret, then key and IV of the session:', `${hex(exporter)}\n${hex(key)}\n${hex(iv)}`),
  ];
  for (const [encoding, format] of [
    ['cose', 'cose-sealed'],
    ['jwe', 'jwe'],
  ]) {
    const topic = `${prefix}/evt/level/fmt/${format}`;
    const sealed = await trust.sealMessage(encoding, content, header, keys, { topic, sender: PUMP });
    const opened = await trust.readSealed(encoding, sealed).open(joined, { topic, sender: PUMP });
    if (text(opened.bytes) !== '{"level":42}') throw new Error('a vector cannot be opened');
    const shown = encoding === 'cose' ? hex(sealed) : text(sealed);
    parts.push(block(`\`{"level":42}\` with counter 7 on \`${topic}\`, ${sealed.length} bytes:`, shown));
  }
  return [KEYS, ...parts].join('\n\n');
}

/** @type {Readonly<Record<string, () => Promise<string>>>} */
const VECTORS = { 'signed-commands.md': signedCommands, 'sealed-payloads.md': sealedPayloads };

/**
 * A page that is written by hand but for its vectors, which are made anew between their marks.
 * @param {string} name in docs/reference
 */
export async function pageWithVectors(name) {
  const page = readFileSync(new URL(`../docs/reference/${name}`, import.meta.url), 'utf8');
  const begin = page.indexOf('<!-- vectors: ');
  const end = page.indexOf('<!-- end of vectors -->');
  const make = VECTORS[name];
  if (begin < 0 || end < begin || make === undefined) throw new Error(`${name} has no place for vectors`);
  const mark = page.slice(begin, page.indexOf('\n', begin));
  return `${page.slice(0, begin)}${mark}\n\n${await make()}\n\n${page.slice(end)}`;
}
