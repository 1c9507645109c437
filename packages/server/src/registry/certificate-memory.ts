import type { Authorities } from './authorities.ts';
import { BoundedMap } from './bounded-map.ts';
import type { Certificates } from './certificates.ts';
import type { RegistryChange, RegistryKind } from './records.ts';

/** What a handshake asks of the registry about certificates and authorities. Every answer is of this moment. */
export type CertificateLookup = Pick<Certificates, 'findBySerial' | 'findPin'> &
  Pick<Authorities, 'findBySubject' | 'trusts'>;

const KEPT = 20_000;
/** Changes that can touch no certificate and no authority. */
const ELSEWHERE: ReadonlySet<RegistryKind> = new Set<RegistryKind>(['policy']);

/**
 * Remembers what was read of certificates and authorities, that nothing is on record too, and forgets all of it with every change of the
 * registry, before anybody hears of the change: a device that comes again is judged without the disk, and a revocation bites at once.
 */
export class CertificateMemory implements CertificateLookup {
  readonly #source: CertificateLookup;
  readonly #kept = new BoundedMap<{ readonly value: unknown }>(KEPT);
  #generation = 0;

  constructor(source: CertificateLookup) {
    this.#source = source;
  }

  findBySerial(name: { readonly issuerNameHash: string; readonly serial: string }) {
    return this.#through(`serial ${name.issuerNameHash} ${name.serial}`, () => this.#source.findBySerial(name));
  }

  findPin(fingerprint: string) {
    return this.#through(`pin ${fingerprint}`, () => this.#source.findPin(fingerprint));
  }

  findBySubject(wanted: Parameters<Authorities['findBySubject']>[0]) {
    const key = `subject ${wanted.organisation ?? ''} ${wanted.subjectNameHashes.join(' ')}`;
    return this.#through(key, () => this.#source.findBySubject(wanted));
  }

  trusts(organisation: string, fingerprint: string) {
    return this.#through(`trusts ${organisation} ${fingerprint}`, () => this.#source.trusts(organisation, fingerprint));
  }

  forget({ kind }: RegistryChange): void {
    if (ELSEWHERE.has(kind)) return;
    this.#generation += 1;
    this.#kept.clear();
  }

  async #through<V>(key: string, read: () => Promise<V>): Promise<V> {
    const known = this.#kept.get(key) as { readonly value: V } | undefined;
    if (known) return known.value;
    // Until nothing has changed meanwhile: a revocation must not be answered with what was true before it.
    for (;;) {
      const generation = this.#generation;
      const value = await read();
      if (generation !== this.#generation) continue;
      this.#kept.set(key, { value });
      return value;
    }
  }
}
