import { createHash, X509Certificate } from 'node:crypto';
import type { Flash } from './flash.ts';
import { opened, type Rom, type Sealed, sealed } from './rom.ts';
import type { Slot } from './slot.ts';

const FILE = 'certificate.json';
const PURPOSE = 'certificate';

/** A client certificate with its key, both PEM. The key is a secret. */
export interface DeviceCertificate {
  readonly cert: string;
  readonly key: string;
}

interface Stored {
  /** SHA-256 of the certificate that the device was given; another one given later begins anew. */
  readonly given: string;
  readonly inUse: DeviceCertificate;
  /** Came with an update that has not proven itself yet: it goes into use or away with its slot. */
  readonly next?: DeviceCertificate & {
    readonly slot: Slot;
    readonly version: string;
    /** Its image has started at least once. */
    readonly tried?: true;
  };
  /** In use before; until the server has taken the newer one. */
  readonly before?: DeviceCertificate;
}

/**
 * The certificate of a device across its updates: a new one comes with an image and shares its fate. One file, sealed by the device and
 * renamed into place, so that a power cut leaves the old certificate or the new one, with its own key.
 */
export class CertificateStore {
  readonly #flash: Flash;
  readonly #rom: Rom;
  readonly #given: DeviceCertificate;

  constructor(flash: Flash, rom: Rom, given: DeviceCertificate) {
    this.#flash = flash;
    this.#rom = rom;
    this.#given = given;
  }

  /** What the device proves itself with now. */
  get inUse(): DeviceCertificate {
    return this.#read().inUse;
  }

  /** Keeps a certificate for the image that is about to be tried in a slot. */
  keepFor(slot: Slot, version: string, { cert, key }: DeviceCertificate): void {
    this.#write({ ...this.#read(), next: { slot, version, cert, key } });
  }

  /**
   * Keeps a certificate for the image that is about to be tried that was issued earlier and never came into use, because the power was cut
   * before the switch. False if there is none, or if it has ended or ends before the one in use: another one has to be issued.
   */
  keepUnusedFor(slot: Slot, version: string, now: number): boolean {
    const { next, ...stored } = this.#read();
    if (!next || next.tried || endOf(next) <= Math.max(now, endOf(stored.inUse) - 1)) return false;
    if (next.slot !== slot || next.version !== version) this.keepFor(slot, version, next);
    return true;
  }

  /**
   * After a start: the certificate of an image that has proven itself goes into use, that of one which was tried and given up goes away, and
   * that of one which never started stays for the next attempt. True if another one is in use now.
   */
  settle(running: { readonly slot?: Slot; readonly version?: string; readonly trial: boolean }): boolean {
    const { next, ...stored } = this.#read();
    if (!next) return false;
    const isItsOwn = next.slot === running.slot && next.version === running.version;
    if (running.trial) {
      if (isItsOwn && !next.tried) this.#write({ ...stored, next: { ...next, tried: true } });
      return false;
    }
    if (!isItsOwn) {
      if (next.tried) this.#write(stored);
      return false;
    }
    this.#write({ ...stored, inUse: { cert: next.cert, key: next.key }, before: stored.inUse });
    return true;
  }

  /** The server has taken the one in use: the one before is not needed any more. */
  taken(): void {
    const { before, ...stored } = this.#read();
    if (before) this.#write(stored);
  }

  /** The server has refused the one in use: back to the one before, if there is one. */
  returnToBefore(): boolean {
    const { before, ...stored } = this.#read();
    if (!before) return false;
    this.#write({ ...stored, inUse: before });
    return true;
  }

  #read(): Stored {
    const given = createHash('sha256').update(this.#given.cert).digest('hex');
    const stored = opened<Stored>(this.#rom.secret, PURPOSE, this.#flash.readJson<Sealed<Stored>>(FILE));
    return stored?.given === given ? stored : { given, inUse: this.#given };
  }

  #write(stored: Stored): void {
    this.#flash.writeJson(FILE, sealed(this.#rom.secret, PURPOSE, stored));
  }
}

/** Milliseconds since the epoch. */
function endOf({ cert }: DeviceCertificate): number {
  return Date.parse(new X509Certificate(cert).validTo);
}
