import {
  type DeviceStore,
  KeyRing,
  type KeyRingState,
  memoryStore,
  rootCertificate,
  SealDesk,
  type SealedMemory,
  sealedEncoding,
  signingKeyOf,
} from '@sallyport/device';
import { Failure, IDENTITY_MESSAGE, type SealedFormat, SIGNED_FORMATS, type SignedFormat } from '@sallyport/model';
import {
  certificatesFromPem,
  currentKey,
  type Identity,
  messageId,
  readRefusal,
  type SealedContent,
  type SignedRefusal,
  signCommand,
} from '@sallyport/trust';
import type { DeviceName } from './device-name.ts';

/** How an application signs its commands and opens what devices seal for it. */
export interface ApplicationProtection {
  /** Keys of the application, for this running program alone: two that share one confuse the devices' memory of what came before. */
  readonly identity: Identity;
  /** Root certificate of the platform: PEM text or the path of a PEM file. The `ca` of the connection if left out. */
  readonly root?: string;
  /** Seal every command; false by default, and each command may say otherwise. */
  readonly sealCommands?: boolean;
  /** `cose` by default; `json` for devices that speak JSON only. */
  readonly encoding?: 'cose' | 'json';
  /** Milliseconds after which a command is worth nothing; 120,000 by default. */
  readonly commandLifetime?: number;
  /** Statements of devices that are known from the beginning: text of a JWS each. Others introduce themselves. */
  readonly statements?: readonly string[];
  /** Keeps over a restart what was opened, at most a second late; {@link memoryStore} if left out. */
  readonly store?: DeviceStore;
  /** Milliseconds to wait for the keys of a device that has not introduced itself; 10,000 by default. */
  readonly introductionTimeout?: number;
  /** Milliseconds by which clocks may differ; 60,000 by default. */
  readonly skew?: number;
  readonly now?: () => number;
}

/** A command ready to be sent. */
export interface ProtectedCommand {
  readonly topic: string;
  readonly bytes: Uint8Array;
}

/** That a device did not follow a command, by its signature. */
export interface DeviceRefusal extends SignedRefusal {
  readonly from: DeviceName;
}

interface State {
  readonly ring: KeyRingState;
  readonly sealed: SealedMemory;
}

const SAVE_PAUSE = 1_000;
const MOST_INTRODUCED = 10_000;

/** The protections of one application. */
export class CommandSigner {
  readonly #options: ApplicationProtection;
  readonly #organisation: string;
  readonly #ring: KeyRing;
  readonly #desk: SealDesk;
  readonly #store: DeviceStore;
  readonly #introduced = new Set<string>();
  readonly #waiting = new Map<string, Set<() => void>>();
  #saving: ReturnType<typeof setTimeout> | undefined;
  /** Statements that are being judged: what came after one may need the keys in it. */
  #meeting: Promise<unknown> = Promise.resolve();
  #sequence = 0;

  private constructor(options: ApplicationProtection, organisation: string, ring: KeyRing, desk: SealDesk) {
    this.#options = options;
    this.#organisation = organisation;
    this.#ring = ring;
    this.#desk = desk;
    this.#store = options.store ?? memoryStore();
  }

  /** @throws Failure `key_material_invalid` if root, store, identity or a statement is none */
  static async open(
    options: ApplicationProtection,
    application: { readonly organisation: string; readonly id: string; readonly ca?: string },
  ): Promise<CommandSigner> {
    const { identity, now = Date.now, skew = 60_000 } = options;
    const { organisation, id } = application;
    const root = options.root ?? application.ca;
    if (root === undefined) {
      throw new Failure('key_material_invalid', 'Statements about keys cannot be judged without a root certificate.', {
        cure: 'Give `root` or `ca`: the path or text of pki/root.pem of the server.',
      });
    }
    if (identity.principal !== `application:${organisation}/${id}`) {
      throw new Failure(
        'key_material_invalid',
        `The identity is that of ${identity.principal}, this is application:${organisation}/${id}.`,
      );
    }
    const state = (await options.store?.read()) as State | undefined;
    const roots = certificatesFromPem(await rootCertificate(root));
    const ring = new KeyRing({ roots, organisation, skew, now }, state?.ring);
    const desk = new SealDesk({ identity, ring, now, ...(state === undefined ? {} : { memory: state.sealed }) });
    const signer = new CommandSigner(options, organisation, ring, desk);
    for (const statement of options.statements ?? []) {
      if (!(await signer.meet('jws', new TextEncoder().encode(statement)))) {
        throw new Failure('key_material_invalid', 'A statement of a device is not one of this platform.');
      }
    }
    return signer;
  }

  /** The statement to show to a device before its first command; undefined if that was done. */
  introduction(device: DeviceName): ProtectedCommand | undefined {
    const key = this.#ownKey();
    const met = `${device.type}/${device.id} ${key.keyId}`;
    if (this.#introduced.has(met)) return undefined;
    if (this.#introduced.size >= MOST_INTRODUCED) this.#introduced.clear();
    this.#introduced.add(met);
    const format = this.#signedFormat;
    return { topic: commandTopic(device, IDENTITY_MESSAGE, format), bytes: key.statement[format] };
  }

  /** Signs a command, and seals it if asked. */
  async protect(
    device: DeviceName,
    name: string,
    content: { readonly format: string; readonly bytes: Uint8Array },
    { seal = this.#options.sealCommands ?? false, lifetime = this.#options.commandLifetime ?? 120_000 } = {},
  ): Promise<ProtectedCommand> {
    const now = this.#now();
    const key = this.#ownKey();
    const format: SignedFormat | SealedFormat = seal ? this.#sealedFormat : this.#signedFormat;
    const topic = commandTopic(device, name, format);
    // By the clock, so that a program that starts anew goes on above what it sent before.
    this.#sequence = Math.max(this.#sequence + 1, now);
    const signed = await signCommand(
      this.#signedFormat,
      {
        application: this.#options.identity.principal,
        device: this.#principalOf(device),
        topic,
        sequence: this.#sequence,
        issuedAt: now,
        expiresAt: now + lifetime,
        format: content.format,
        content: Uint8Array.from(content.bytes),
      },
      key.signer,
      key.keyId,
    );
    if (!seal) return { topic, bytes: signed };
    const inner: SealedContent = { format: this.#signedFormat, bytes: signed };
    const bytes = await this.#sealWhenMet(device, topic, inner);
    return { topic, bytes };
  }

  /** Takes the statement that a device shows. True if it is one of the platform. */
  meet(format: string, bytes: Uint8Array): Promise<boolean> {
    const met = this.#meeting.then(() => this.#meetNow(format, bytes));
    this.#meeting = met.catch(() => {});
    return met;
  }

  async #meetNow(format: string, bytes: Uint8Array): Promise<boolean> {
    if (!isSigned(format)) return false;
    const judged = await this.#ring.judge(format, bytes);
    if (!judged.ok) return false;
    if (this.#ring.keep(judged.statement)) this.#saveSoon();
    for (const met of this.#waiting.get(judged.statement.principal) ?? []) met();
    return true;
  }

  /** Opens a sealed event; undefined if it is for others. */
  async open(device: DeviceName, name: string, format: string, bytes: Uint8Array): Promise<SealedContent | undefined> {
    await this.#meeting;
    const encoding = sealedEncoding(format);
    const topic = `iot-2/type/${device.type}/id/${device.id}/evt/${name}/fmt/${format}`;
    const opened = encoding && (await this.#desk.open(encoding, topic, bytes));
    if (opened?.outcome === 'not_for_me') return undefined;
    if (opened?.outcome !== 'opened' || !this.#isOf(device, opened.sender)) {
      throw new Failure('invalid_request', `The event on ${topic} is ignored: ${problemOf(opened?.outcome)}.`, {
        cure: 'If the device has new keys, have it introduce itself: it does so when it connects.',
      });
    }
    opened.remember();
    this.#saveSoon();
    return opened.content;
  }

  /** A refusal whose signature is that of the device; undefined for everything else. */
  async refusal(device: DeviceName, format: string, bytes: Uint8Array): Promise<DeviceRefusal | undefined> {
    await this.#meeting;
    const read = isSigned(format) ? readRefusal(format, bytes) : undefined;
    if (read === undefined || !this.#isOf(device, read.refusal.device)) return undefined;
    const finding = this.#ring.find(read.keyId);
    if (finding.outcome !== 'known' || finding.key.principal !== read.refusal.device) return undefined;
    return (await read.message.signedBy(signingKeyOf(finding.key))) ? { ...read.refusal, from: device } : undefined;
  }

  /** Names a command as refusals do. */
  idOf(command: ProtectedCommand): Promise<string> {
    return messageId(command.bytes);
  }

  /** Writes down what was opened. */
  async close(): Promise<void> {
    clearTimeout(this.#saving);
    await this.#store.write({ ring: this.#ring.state, sealed: this.#desk.memory } satisfies State);
  }

  async #sealWhenMet(device: DeviceName, topic: string, inner: SealedContent): Promise<Uint8Array> {
    const principal = this.#principalOf(device);
    if (this.#ring.sealingKeyOf(principal) === undefined) await this.#introductionOf(principal);
    const bytes = await this.#desk.seal(principal, topic, inner, this.#sealedFormat);
    if (bytes !== undefined) return bytes;
    throw new Failure('key_material_invalid', `Nothing can be sealed for ${principal}: its keys are not known.`, {
      cure: 'Give it an identity with `sallyport device identity create`, and let it connect once while the application is there, or pass its statement.',
    });
  }

  async #introductionOf(principal: string): Promise<void> {
    const waiting = this.#waiting.get(principal) ?? new Set();
    this.#waiting.set(principal, waiting);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(done, this.#options.introductionTimeout ?? 10_000);
      function done(): void {
        clearTimeout(timer);
        waiting.delete(done);
        resolve();
      }
      waiting.add(done);
    });
    if (waiting.size === 0) this.#waiting.delete(principal);
  }

  /** A second late, so that a flood of events does not become a flood of writes. */
  #saveSoon(): void {
    if (this.#options.store === undefined || this.#saving !== undefined) return;
    this.#saving = setTimeout(() => {
      this.#saving = undefined;
      this.#store.write({ ring: this.#ring.state, sealed: this.#desk.memory } satisfies State).catch(() => {});
    }, SAVE_PAUSE);
  }

  #principalOf({
    type,
    id,
    kind = 'device',
  }: Omit<DeviceName, 'kind'> & { readonly kind?: 'device' | 'gateway' }): string {
    return `${kind}:${this.#organisation}/${type}/${id}`;
  }

  /** A topic does not say whether a device or a gateway is meant; a type is of one class. */
  #isOf({ type, id }: DeviceName, principal: string): boolean {
    return (['device', 'gateway'] as const).some((kind) => principal === this.#principalOf({ type, id, kind }));
  }

  #ownKey() {
    const key = currentKey(this.#options.identity, this.#now());
    if (key !== undefined) return key;
    throw new Failure('key_material_invalid', `No key of ${this.#options.identity.principal} is in force.`, {
      cure: 'Make a new one with `sallyport application identity rotate`.',
    });
  }

  #now(): number {
    return (this.#options.now ?? Date.now)();
  }

  get #signedFormat(): SignedFormat {
    return this.#options.encoding === 'json' ? 'jws' : 'cose';
  }

  get #sealedFormat(): SealedFormat {
    return this.#options.encoding === 'json' ? 'jwe' : 'cose-sealed';
  }
}

function commandTopic(device: DeviceName, name: string, format: string): string {
  return `iot-2/type/${device.type}/id/${device.id}/cmd/${name}/fmt/${format}`;
}

function problemOf(outcome: string | undefined): string {
  if (outcome === 'replayed' || outcome === 'out_of_order') return 'it was opened before, or came far too late';
  return 'it was changed, moved, or sealed by somebody else';
}

function isSigned(format: string): format is SignedFormat {
  return (SIGNED_FORMATS as readonly string[]).includes(format);
}
