import { constants, createHash, type KeyObject, privateEncrypt } from 'node:crypto';

/* Signatures as nobody makes them who means well, after the classes of attack that test suites for cryptography collect. */

const N_P256 = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const P_P256 = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn;
/** Order of the base point of Ed25519 (RFC 8032 section 5.1). */
const L_ED25519 = 2n ** 252n + 27742317777372353535851937790883648493n;

export type Forgery = readonly [name: string, bytes: Buffer];

const fixed = (value: bigint, size = 32): Buffer => Buffer.from(value.toString(16).padStart(size * 2, '0'), 'hex');
const littleEndian = (value: bigint): Buffer => fixed(value).reverse();

/** What may not verify beside a good ES256 signature of 64 bytes: special values, other ranges, other lengths. */
export function ecdsaForgeries(good: Buffer): readonly Forgery[] {
  const [r, s] = [good.subarray(0, 32), good.subarray(32)];
  const special: readonly (readonly [string, bigint])[] = [
    ['0', 0n],
    ['1', 1n],
    ['n - 1', N_P256 - 1n],
    ['n', N_P256],
    ['n + 1', N_P256 + 1n],
    ['p', P_P256],
    ['p + 1', P_P256 + 1n],
    ['2^256 - 1', 2n ** 256n - 1n],
  ];
  const pairs = special.flatMap(([a, x]) =>
    special.map(([b, y]): Forgery => [`r = ${a}, s = ${b}`, Buffer.concat([fixed(x), fixed(y)])]),
  );
  const halves = special.flatMap(([name, value]): Forgery[] => [
    [`r replaced by ${name}`, Buffer.concat([fixed(value), s])],
    [`s replaced by ${name}`, Buffer.concat([r, fixed(value)])],
  ]);
  return [
    ...pairs,
    ...halves,
    ['r and s exchanged', Buffer.concat([s, r])],
    ['nothing', Buffer.alloc(0)],
    ['one byte', Buffer.of(1)],
    ['r alone', r],
    ['a byte less', good.subarray(0, 63)],
    ['a byte more', Buffer.concat([good, Buffer.of(0)])],
    ['a zero before', Buffer.concat([Buffer.of(0), good])],
    ['a zero before each half', Buffer.concat([Buffer.of(0), r, Buffer.of(0), s])],
    ['itself twice', Buffer.concat([good, good])],
    ['itself in DER', derPair(r, s)],
  ];
}

/** A sequence of two minimal integers, as X.509 has it. */
export function derPair(r: Uint8Array, s: Uint8Array): Buffer {
  const content = Buffer.concat([derInteger(r), derInteger(s)]);
  return Buffer.concat([Buffer.of(0x30), lengthOf(content.length), content]);
}

export function derInteger(value: Uint8Array): Buffer {
  let from = 0;
  while (from < value.length - 1 && value[from] === 0) from += 1;
  const bytes = Buffer.from(value.subarray(from));
  const positive = (bytes[0] ?? 0) & 0x80 ? Buffer.concat([Buffer.of(0), bytes]) : bytes;
  return Buffer.concat([Buffer.of(2), lengthOf(positive.length), positive]);
}

function lengthOf(length: number): Buffer {
  return length < 0x80 ? Buffer.of(length) : Buffer.of(0x81, length);
}

/** The same two numbers in DER that is none: BER, other tags, other lengths, something more (CVE-2020-14966 and its like). */
export function derForgeries(good: Buffer): readonly Forgery[] {
  const [r, s] = [good.subarray(0, 32), good.subarray(32)];
  const [one, two] = [derInteger(r), derInteger(s)];
  const sequence = (content: Buffer, tag = 0x30) => Buffer.concat([Buffer.of(tag), lengthOf(content.length), content]);
  const integer = (content: Buffer, tag = 2) => Buffer.concat([Buffer.of(tag), lengthOf(content.length), content]);
  const contentOf = (element: Buffer) => element.subarray(2);
  const both = Buffer.concat([one, two]);
  return [
    ['a length in the long form', Buffer.concat([Buffer.of(0x30, 0x81, both.length), both])],
    ['a length of two bytes', Buffer.concat([Buffer.of(0x30, 0x82, 0, both.length), both])],
    ['an indefinite length', Buffer.concat([Buffer.of(0x30, 0x80), both, Buffer.of(0, 0)])],
    ['a length that is too great', Buffer.concat([Buffer.of(0x30, both.length + 1), both])],
    ['a length that is too small', Buffer.concat([Buffer.of(0x30, both.length - 1), both])],
    ['a byte behind it', Buffer.concat([sequence(both), Buffer.of(0)])],
    ['a third number', sequence(Buffer.concat([both, Buffer.of(2, 1, 1)]))],
    ['a null behind its numbers', sequence(Buffer.concat([both, Buffer.of(5, 0)]))],
    ['one number only', sequence(one)],
    ['no number', sequence(Buffer.alloc(0))],
    ['a set in place of the sequence', sequence(both, 0x31)],
    ['a string in place of the sequence', sequence(both, 0x04)],
    ['a sequence in the sequence', sequence(sequence(both))],
    ['a number that is a string', sequence(Buffer.concat([integer(contentOf(one), 4), two]))],
    ['a number that is an enumeration', sequence(Buffer.concat([integer(contentOf(one), 10), two]))],
    ['a zero too many before r', sequence(Buffer.concat([integer(Buffer.concat([Buffer.of(0, 0), r])), two]))],
    ['a zero too many before s', sequence(Buffer.concat([one, integer(Buffer.concat([Buffer.of(0, 0), s]))]))],
    ['an empty number', sequence(Buffer.concat([Buffer.of(2, 0), two]))],
    ['r that is zero', sequence(Buffer.concat([Buffer.of(2, 1, 0), two]))],
    ['s that is zero', sequence(Buffer.concat([one, Buffer.of(2, 1, 0)]))],
    ['r that is the order', sequence(Buffer.concat([derInteger(fixed(N_P256)), two]))],
    [
      'r beyond the order',
      sequence(Buffer.concat([derInteger(fixed(BigInt(`0x${r.toString('hex')}`) + N_P256, 33)), two])),
    ],
    [
      's beyond the order',
      sequence(Buffer.concat([one, derInteger(fixed(BigInt(`0x${s.toString('hex')}`) + N_P256, 33))])),
    ],
    ['r that is -1', sequence(Buffer.concat([Buffer.of(2, 1, 0xff), two]))],
    ['its numbers without DER', Buffer.concat([r, s])],
  ];
}

/** A number whose first bit is set, without the zero that makes it positive; `good` must have one. */
export function negativeDer(good: Buffer): Buffer {
  const [r, s] = [good.subarray(0, 32), good.subarray(32)];
  const bare = (value: Buffer) => Buffer.concat([Buffer.of(2, value.length), value]);
  const content = Buffer.concat([bare(r), bare(s)]);
  return Buffer.concat([Buffer.of(0x30, content.length), content]);
}

/** What may not verify beside a good Ed25519 signature: S that is not reduced (RFC 8032 section 5.1.7), special points, other lengths. */
export function ed25519Forgeries(good: Buffer): readonly Forgery[] {
  const [r, s] = [good.subarray(0, 32), good.subarray(32)];
  const number = BigInt(`0x${Buffer.from(s).reverse().toString('hex')}`);
  const zero = Buffer.alloc(32);
  const identity = Buffer.concat([Buffer.of(1), Buffer.alloc(31)]);
  return [
    ['S + L', Buffer.concat([r, littleEndian(number + L_ED25519)])],
    ['S + 2 L', Buffer.concat([r, littleEndian(number + 2n * L_ED25519)])],
    ['S with its highest bit set', Buffer.concat([r, littleEndian(number | (1n << 255n))])],
    ['S = L', Buffer.concat([r, littleEndian(L_ED25519)])],
    ['S = 0', Buffer.concat([r, zero])],
    ['R = 0', Buffer.concat([zero, s])],
    ['R = identity', Buffer.concat([identity, s])],
    ['R = identity, S = 0', Buffer.concat([identity, zero])],
    ['all zeros', Buffer.alloc(64)],
    ['all ones', Buffer.alloc(64, 0xff)],
    ['R with its sign changed', Buffer.concat([r.subarray(0, 31), Buffer.of((r[31] ?? 0) ^ 0x80), s])],
    ['R and S exchanged', Buffer.concat([s, r])],
    ['nothing', Buffer.alloc(0)],
    ['R alone', r],
    ['a byte less', good.subarray(0, 63)],
    ['a byte more', Buffer.concat([good, Buffer.of(0)])],
    ['itself twice', Buffer.concat([good, good])],
  ];
}

/** Ed25519 keys of small order, also written as no canonical point (RFC 8032 section 5.1.3): with them anybody can sign something. */
export const SMALL_ORDER_KEYS: readonly string[] = [
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0000000000000000000000000000000000000000000000000000000000000080',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
  '0100000000000000000000000000000000000000000000000000000000000080',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
];

/** X25519 points of small order (RFC 7748 section 6.1): what is agreed on with one of them is known to everybody. */
export const SMALL_ORDER_POINTS: readonly string[] = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '0000000000000000000000000000000000000000000000000000000000000080',
  '0100000000000000000000000000000000000000000000000000000000000080',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
];

const SHA256_INFO = Buffer.from('3031300d060960864801650304020105000420', 'hex');
const SHA256_INFO_BARE = Buffer.from('302f300b0609608648016503040201' + '0420', 'hex');
const SHA512_INFO = Buffer.from('3051300d060960864801650304020305000440', 'hex');

/** PKCS #1 v1.5 blocks that are not the one of RFC 8017 section 9.2, each put through the real private key of 2048 bits. */
export function rsaForgeries(message: Buffer, privateKey: KeyObject): readonly Forgery[] {
  const size = 256;
  const digest = createHash('sha256').update(message).digest();
  const info = Buffer.concat([SHA256_INFO, digest]);
  const raw = (block: Buffer) => privateEncrypt({ key: privateKey, padding: constants.RSA_NO_PADDING }, block);
  const block = (type: number, fill: Buffer, content: Buffer) =>
    Buffer.concat([Buffer.of(0, type), fill, Buffer.of(0), content]);
  const ones = (content: Buffer, less = 0) => Buffer.alloc(size - 3 - content.length - less, 0xff);
  const withBehind = Buffer.concat([info, Buffer.alloc(40, 1)]);
  const good = raw(block(1, ones(info), info));
  const blocks: readonly (readonly [string, Buffer])[] = [
    ['short padding and bytes behind the hash', block(1, ones(withBehind), withBehind)],
    ['bytes between padding and hash', block(1, ones(info, 8), Buffer.concat([Buffer.alloc(8, 0x42), info]))],
    [
      'no parameters of the hash',
      block(1, ones(Buffer.concat([SHA256_INFO_BARE, digest])), Buffer.concat([SHA256_INFO_BARE, digest])),
    ],
    [
      'the name of another hash',
      block(1, ones(Buffer.concat([SHA512_INFO, digest])), Buffer.concat([SHA512_INFO, digest])),
    ],
    ['the hash alone', block(1, ones(digest), digest)],
    ['padding of block type 2', block(2, ones(info), info)],
    ['padding of block type 0', block(0, Buffer.alloc(size - 3 - info.length), info)],
    ['a padding byte that is not ff', block(1, Buffer.concat([Buffer.of(0xfe), ones(info).subarray(1)]), info)],
    ['a first byte that is not zero', Buffer.concat([Buffer.of(1), block(1, ones(info), info).subarray(1)])],
    ['a digest that is cut off', block(1, ones(info.subarray(0, -1)), info.subarray(0, -1))],
  ];
  return [
    ...blocks.map(([name, bytes]): Forgery => [name, raw(bytes)]),
    ['nothing', Buffer.alloc(0)],
    ['0', Buffer.alloc(size)],
    ['1', Buffer.concat([Buffer.alloc(size - 1), Buffer.of(1)])],
    ['all ones', Buffer.alloc(size, 0xff)],
    ['a byte less', good.subarray(1)],
    ['a zero before it', Buffer.concat([Buffer.of(0), good])],
    ['a byte behind it', Buffer.concat([good, Buffer.of(0)])],
    ['itself twice', Buffer.concat([good, good])],
  ];
}
