import { isIPv4 } from 'node:net';

/** How fast connections may come, before anybody has proven anything. Infinity, or left out: no bound. */
export interface ConnectRates {
  /** Per second, of all addresses; twice as many at once. */
  readonly connectRate?: number;
  /** Per second, of one IPv4 address or one IPv6 network of 64 bits; four times as many at once. */
  readonly connectRatePerAddress?: number;
}

export interface ConnectRateOptions extends ConnectRates {
  /** Milliseconds; never set back. */
  readonly now: () => number;
}

/** Which bound a newcomer meets; undefined if none. */
export type ConnectRateGate = (address: string) => 'listener' | 'address' | undefined;

interface Bucket {
  tokens: number;
  at: number;
}

/** Addresses that are remembered: a stranger who has more of them has more than this server can hold against him. */
const REMEMBERED = 20_000;
const BURST = 2;
const BURST_PER_ADDRESS = 4;

/** Counts newcomers. One that is turned away is not counted, so that a patient client gets in. */
export function connectRateGate({ connectRate, connectRatePerAddress, now }: ConnectRateOptions): ConnectRateGate {
  const all = connectRate ?? Number.POSITIVE_INFINITY;
  const each = connectRatePerAddress ?? Number.POSITIVE_INFINITY;
  const whole: Bucket = { tokens: all * BURST, at: now() };
  const addresses = new Map<string, Bucket>();

  function bucketOf(address: string, at: number): Bucket {
    const key = networkOf(address);
    const bucket = addresses.get(key) ?? { tokens: each * BURST_PER_ADDRESS, at };
    // Last in the map is who came last: the first can be forgotten.
    addresses.delete(key);
    addresses.set(key, bucket);
    if (addresses.size > REMEMBERED) {
      const [oldest] = addresses.keys();
      if (oldest !== undefined) addresses.delete(oldest);
    }
    return bucket;
  }

  return (address) => {
    const at = now();
    if (Number.isFinite(each)) {
      const bucket = bucketOf(address, at);
      if (!take(bucket, each, each * BURST_PER_ADDRESS, at)) return 'address';
    }
    return Number.isFinite(all) && !take(whole, all, all * BURST, at) ? 'listener' : undefined;
  };
}

function take(bucket: Bucket, rate: number, burst: number, at: number): boolean {
  bucket.tokens = Math.min(burst, bucket.tokens + (Math.max(0, at - bucket.at) / 1000) * rate);
  bucket.at = at;
  if (bucket.tokens < 1) return false;
  bucket.tokens--;
  return true;
}

/** An IPv4 address; of an IPv6 one, its first 64 bits, as one customer usually has them all. */
export function networkOf(address: string): string {
  if (isIPv4(address)) return address;
  const [bare = ''] = address.split('%');
  const [head = '', tail] = bare.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? [] : new Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0');
  return `${[...left, ...zeros, ...right]
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}
