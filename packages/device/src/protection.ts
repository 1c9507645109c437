import {
  type CommandProblem,
  Failure,
  IDENTITY_MESSAGE,
  principalName,
  REFUSAL_MESSAGE,
  type SealedFormat,
  type SignedFormat,
} from '@sallyport/model';
import { certificatesFromPem, currentKey, type Identity, messageId, signRefusal } from '@sallyport/trust';
import {
  type CommandRights,
  type CommandVerdict,
  type GuardedCommand,
  type GuardParts,
  judgeCommand,
  judgeIntroduction,
} from './command-guard.ts';
import { GuardMemory, recallState } from './guard-memory.ts';
import { KeyRing } from './key-ring.ts';
import { rootCertificate } from './root-certificate.ts';
import { SealDesk } from './seal-desk.ts';
import { type DeviceStore, memoryStore } from './sealed-store.ts';

/** How a device guards its commands and seals its events. */
export interface ProtectionOptions {
  /** Root certificate of the platform: PEM text or the path of a PEM file. The `ca` of the connection if left out. */
  readonly root?: string;
  /** Applications that the device listens to, and for which commands. */
  readonly applications?: readonly CommandRights[];
  /** Takes the application that introduces itself first, for these commands, and no other after it. */
  readonly firstUse?: readonly string[];
  /** Keys of the device: needed for signed refusals and for everything sealed. */
  readonly identity?: Identity;
  /** What must survive a restart; {@link memoryStore} if left out, so that a replay after a restart is revealed by its age only. */
  readonly store?: DeviceStore;
  /** Statements of applications that are known from the beginning: text of a JWS each. */
  readonly statements?: readonly string[];
  /** Ignore commands that are not sealed; false by default. */
  readonly sealedOnly?: boolean;
  /** Applications for which every event is sealed; needs an identity. */
  readonly sealEventsFor?: readonly string[];
  /** How the device writes what it signs and seals; `cose` by default. */
  readonly encoding?: 'cose' | 'json';
  /** Milliseconds by which clocks may differ; 60,000 by default. */
  readonly skew?: number;
  /** Milliseconds for which a command may be valid; a day by default. */
  readonly longestLifetime?: number;
  /** How many later commands may overtake one; 0 by default. */
  readonly tolerance?: number;
  readonly now?: () => number;
}

/** Sends an event of the device: short name, format, bytes. */
export type SendEvent = (name: string, format: string, bytes: Uint8Array) => Promise<void>;

export interface ProtectedDevice {
  readonly organisation: string;
  readonly kind: 'device' | 'gateway';
  readonly type: string;
  readonly id: string;
  readonly ca?: string;
}

/** Answers in a minute: whoever floods a device must not make it flood in turn. */
const MOST_ANSWERS = 20;
const MINUTE = 60_000;

/** The protections of one device: judges commands one after the other, answers what it does not follow, seals events. */
export class Protection {
  readonly #parts: GuardParts;
  readonly #options: ProtectionOptions;
  readonly #send: SendEvent;
  #queue: Promise<unknown> = Promise.resolve();
  #answers = 0;
  #minute = 0;

  private constructor(parts: GuardParts, options: ProtectionOptions, send: SendEvent) {
    this.#parts = parts;
    this.#options = options;
    this.#send = send;
  }

  /**
   * Recalls what was known before.
   *
   * @throws Failure `key_material_invalid` if root, store or a statement is none; `invalid_request` if nothing could ever be accepted
   */
  static async open(options: ProtectionOptions, device: ProtectedDevice, send: SendEvent): Promise<Protection> {
    const { applications = [], firstUse, identity, store = memoryStore(), now = Date.now, skew = 60_000 } = options;
    const name = principalName(device);
    const root = options.root ?? device.ca;
    if (root === undefined) {
      throw new Failure('key_material_invalid', 'Statements about keys cannot be judged without a root certificate.', {
        cure: 'Give `root` or `ca`: the path or text of pki/root.pem of the server.',
      });
    }
    if (identity !== undefined && identity.principal !== name) {
      throw new Failure('key_material_invalid', `The identity is that of ${identity.principal}, this is ${name}.`);
    }
    const roots = certificatesFromPem(await rootCertificate(root));
    const state = await recallState(store);
    const ring = new KeyRing(
      { roots, organisation: device.organisation, skew, now, maximumPrincipals: 32 },
      state.ring,
    );
    const desk = identity && new SealDesk({ identity, ring, now, memory: state.sealed });
    const parts: GuardParts = {
      rules: {
        organisation: device.organisation,
        device: name,
        prefix: `iot-2/type/${device.type}/id/${device.id}/`,
        applications,
        ...(firstUse === undefined ? {} : { firstUse }),
        sealedOnly: options.sealedOnly ?? false,
        skew,
        longestLifetime: options.longestLifetime ?? 86_400_000,
        tolerance: options.tolerance ?? 0,
      },
      ring,
      memory: new GuardMemory(store, state, ring, desk),
      desk,
      now,
    };
    for (const statement of options.statements ?? []) {
      const verdict = await judgeIntroduction(parts, 'jws', new TextEncoder().encode(statement));
      if (verdict.outcome === 'not_introduced') {
        throw new Failure('key_material_invalid', `A statement of an application is not taken: ${verdict.detail}.`);
      }
    }
    return new Protection(parts, options, send);
  }

  /** Judges a command, in the order in which commands came. Never rejects for what came. */
  judge(name: string, format: string, payload: Uint8Array): Promise<CommandVerdict> {
    const verdict = this.#queue.then(async () => {
      if (name !== IDENTITY_MESSAGE) return judgeCommand(this.#parts, name, format, payload);
      return judgeIntroduction(this.#parts, format, payload);
    });
    this.#queue = verdict.catch(() => {});
    return verdict;
  }

  /** Judges a command, tells the verdict and answers it; what remains is to be followed. Undefined if nothing is. */
  async follow(
    name: string,
    format: string,
    payload: Uint8Array,
    tell: (verdict: CommandVerdict) => void,
  ): Promise<GuardedCommand | undefined> {
    const verdict = await this.judge(name, format, payload);
    tell(verdict);
    await this.answer(verdict, format, payload);
    return verdict.outcome === 'valid' ? verdict.command : undefined;
  }

  /** Answers a verdict: an introduction with the device's own, what is not followed with a signed refusal. */
  async answer(verdict: CommandVerdict, format: string, payload: Uint8Array): Promise<void> {
    if (verdict.outcome !== 'introduced' && verdict.outcome !== 'invalid') return;
    const minute = Math.floor(this.#parts.now() / MINUTE);
    if (minute !== this.#minute) this.#answers = 0;
    this.#minute = minute;
    if (++this.#answers > MOST_ANSWERS) return;
    if (verdict.outcome === 'introduced') return this.introduce();
    return this.#refuse(verdict.name, verdict.reason, format, payload);
  }

  /** Shows the platform's statement about the device's own keys. Does nothing without an identity. */
  async introduce(): Promise<void> {
    const own = this.#ownKey();
    if (own === undefined) return;
    await this.#send(IDENTITY_MESSAGE, this.#signedFormat, own.statement[this.#signedFormat]);
  }

  /** The sealed forms of an event, one for each application that it is for; undefined if events go in clear. */
  async sealed(
    name: string,
    content: { readonly format: string; readonly bytes: Uint8Array },
  ): Promise<readonly { readonly format: SealedFormat; readonly bytes: Uint8Array }[] | undefined> {
    const { sealEventsFor } = this.#options;
    if (sealEventsFor === undefined) return undefined;
    const { desk, rules } = this.#parts;
    const format = this.#options.encoding === 'json' ? 'jwe' : 'cose-sealed';
    const topic = `${rules.prefix}evt/${name}/fmt/${format}`;
    const inner = { format: content.format, bytes: Uint8Array.from(content.bytes) };
    const sealed = [];
    for (const id of sealEventsFor) {
      const bytes = await desk?.seal(`application:${rules.organisation}/${id}`, topic, inner, format);
      if (bytes === undefined) {
        // Nothing is sent in clear instead: that would be what an attacker waits for.
        throw new Failure('key_material_invalid', `The event "${name}" cannot be sealed for the application ${id}.`, {
          cure:
            desk === undefined
              ? 'Give the device an identity: `sallyport device identity create`.'
              : 'Give its statement in `statements`, or wait until the application has introduced itself.',
        });
      }
      sealed.push({ format, bytes } as const);
    }
    return sealed;
  }

  async #refuse(name: string, reason: CommandProblem, format: string, payload: Uint8Array): Promise<void> {
    const own = this.#ownKey();
    const { now, rules } = this.#parts;
    if (own === undefined) return;
    const topic = `${rules.prefix}cmd/${name}/fmt/${format}`;
    const refusal = { device: rules.device, topic, reason, at: now(), message: await messageId(payload) };
    const bytes = await signRefusal(this.#signedFormat, refusal, own.signer, own.keyId);
    await this.#send(REFUSAL_MESSAGE, this.#signedFormat, bytes);
  }

  get #signedFormat(): SignedFormat {
    return this.#options.encoding === 'json' ? 'jws' : 'cose';
  }

  #ownKey() {
    const { identity } = this.#options;
    return identity && currentKey(identity, this.#parts.now());
  }
}
