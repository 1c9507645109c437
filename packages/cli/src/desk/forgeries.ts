import type { Application } from '@sallyport/application';
import { Failure } from '@sallyport/model';
import {
  currentKey,
  generateSigningKey,
  type Identity,
  messageId,
  type SignedCommand,
  type Signer,
  signCommand,
  signerOf,
} from '@sallyport/trust';
import { type AskedCommand, commandContent, type Manner } from './manners.ts';

const LIFETIME = 120_000;
const HOUR = 60 * 60_000;

export interface ForgeryOptions {
  readonly application: Pick<Application, 'publish'>;
  readonly identity: Identity;
  readonly organisation: string;
  readonly now: () => number;
}

/** What differs from a good command. */
interface Twist {
  readonly id: string;
  readonly name: string;
  readonly meaning: string;
  readonly change?: (command: SignedCommand) => Partial<SignedCommand>;
  /** Signs in the place of the application's own key. */
  readonly foreignKey?: boolean;
  readonly times?: number;
}

const TWISTS: readonly Twist[] = [
  {
    id: 'wrong-application',
    name: 'Wrong application',
    meaning: 'Signed with the key of this application, and says that it comes from another.',
    change: ({ application }) => ({ application: `${application}-2` }),
  },
  {
    id: 'wrong-signature',
    name: 'Wrong signature',
    meaning: 'Says that it comes from this application, and is signed with a key that was just made up.',
    foreignKey: true,
  },
  {
    id: 'stale',
    name: 'Stale',
    meaning: 'Signed an hour ago and good for two minutes.',
    change: ({ issuedAt, expiresAt }) => ({ issuedAt: issuedAt - HOUR, expiresAt: expiresAt - HOUR }),
  },
  {
    id: 'replayed',
    name: 'Replayed',
    meaning: 'A good command, sent twice: the device follows the first and must refuse the second.',
    times: 2,
  },
  {
    id: 'other-device',
    name: 'For another device',
    meaning: 'A good command for another device of the type, sent to this one.',
    change: ({ device }) => ({ device: `${device}-2` }),
  },
];

/** Commands that a device which checks signatures must refuse. */
export function forgeries(options: ForgeryOptions): readonly Manner[] {
  return TWISTS.map((twist) => ({
    id: twist.id,
    name: twist.name,
    meaning: twist.meaning,
    honest: false,
    send: (command) => forge(options, twist, command),
  }));
}

async function forge(options: ForgeryOptions, twist: Twist, { type, id, name, text }: AskedCommand): Promise<string> {
  const { application, identity, organisation, now } = options;
  const at = now();
  const key = currentKey(identity, at);
  if (key === undefined) {
    throw new Failure('key_material_invalid', `No key of ${identity.principal} is in force.`, {
      cure: 'Make a new one with `sallyport application identity rotate`.',
    });
  }
  const topic = `iot-2/type/${type}/id/${id}/cmd/${name}/fmt/cose`;
  const good: SignedCommand = {
    application: identity.principal,
    device: `device:${organisation}/${type}/${id}`,
    topic,
    sequence: at,
    issuedAt: at,
    expiresAt: at + LIFETIME,
    format: 'json',
    content: Uint8Array.from(Buffer.from(JSON.stringify(commandContent(text)))),
  };
  const signer = twist.foreignKey ? await madeUp() : key.signer;
  const bytes = await signCommand('cose', { ...good, ...twist.change?.(good) }, signer, key.keyId);
  for (let times = 0; times < (twist.times ?? 1); times++) await application.publish(topic, bytes);
  return messageId(bytes);
}

async function madeUp(): Promise<Signer> {
  const signer = await signerOf(await generateSigningKey());
  if (signer === undefined) throw new Error('a key that was just made cannot be read');
  return signer;
}
