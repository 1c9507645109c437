import { randomBytes } from 'node:crypto';
import { parsePrincipal, principalName } from '@sallyport/model';
import type { DeliverCode } from '../authentication/code-delivery.ts';
import type { ExchangeMethod } from '../authentication/exchange-method.ts';
import { mailCode } from '../authentication/mail-code.ts';
import { oneTimeCodes } from '../authentication/one-time-code.ts';
import { unlockAttendants } from '../authentication/unlock-attendants.ts';
import { UnlockDesk } from '../authentication/unlock-desk.ts';
import { unlockExchange } from '../authentication/unlock-exchange.ts';
import { webHookCode } from '../authentication/web-hook-code.ts';
import { whenReady } from '../authentication/when-ready.ts';
import type { ArriveOptions } from '../broker/arrive.ts';
import type { Attend } from '../broker/attend.ts';
import type { BrokerApi } from '../broker/whole-server.ts';
import type { Configuration } from '../config/schema.ts';
import type { EventStream } from '../events/stream.ts';
import { signedPost } from '../outbound/signed-post.ts';
import type { DeviceType } from '../registry/records.ts';
import type { Registry } from '../registry/registry.ts';
import { configuredMail } from './mail.ts';
import { signingSecret, trusted } from './secret-files.ts';

export interface UnlockOptions {
  readonly configuration: Configuration;
  readonly registry: Registry;
  readonly events: EventStream;
  /** Asked when something is to be sent: the broker is made after this. */
  readonly broker: () => Pick<BrokerApi, 'raise' | 'tell' | 'dismiss' | 'publish' | 'reaches'>;
  readonly now: () => number;
}

/** One-time codes, as the broker and the API need them. */
export interface Unlock {
  readonly desk: UnlockDesk;
  readonly attend: Attend;
  /** The authentication method by which a code is given before CONNACK. */
  readonly method: ExchangeMethod;
  /** The demand for a code, for those of whom one is demanded. */
  readonly owes: NonNullable<ArriveOptions['owes']>;
}

/**
 * Wires the one-time codes: codes of the desk to the owners, answers to the devices, sessions of the broker to the desk.
 *
 * @throws Failure `configuration_invalid` if a delivery is half configured, `key_material_invalid` if a secret cannot be read
 */
export function wireUnlock({ configuration: { unlock }, registry, events, broker, now }: UnlockOptions): Unlock {
  const { lookup, authenticators } = registry;
  const emit = events.emit.bind(events);
  const desk = new UnlockDesk({
    codes: oneTimeCodes({ key: randomBytes(32), random: randomBytes, now, ...unlock }),
    now,
    rules: unlock,
    findPrincipal: (name) => lookup.byPrincipal(name),
    deliver: {
      mail: mailDelivery(unlock, now),
      'web-hook': webHookDelivery(unlock, now),
      application: applicationDelivery(broker),
    },
    authenticators,
    raise: (session) => broker().raise(session),
    dismiss: (session, reason, step) => broker().dismiss(session, reason, step),
    emit,
  });
  events.on('session.opened', ({ assurance, organisation, clientId, presence, principal, transport }) => {
    if (assurance !== 'pending') return;
    desk.opened({ organisation, clientId, presence, principal, address: transport.remoteAddress });
  });
  events.on('session.closed', (event) => desk.closed(event));
  events.on('registry.changed', ({ organisation, action, target }) => {
    if (organisation === undefined) return;
    const follow = async () => {
      if (action === 'type.created' || action === 'type.updated') {
        announceUnsafe(
          await registry.types.get({ organisation, id: target.slice(`type:${organisation}/`.length) }),
          emit,
        );
      }
      await desk.reconsider(organisation);
    };
    follow().catch((problem: unknown) => {
      emit({ type: 'defect', where: 'one-time codes after a change', problem: String(problem) });
    });
  });
  const attend = unlockAttendants({
    desk,
    // QoS 0: what is told is about this moment, and must not wait in a queue.
    tell: (session, topic, payload) => broker().tell(session, { topic, payload }),
    emit,
    now,
  });
  const owes: Unlock['owes'] = (principal) => {
    if (principal.kind !== 'device' && principal.kind !== 'gateway') return undefined;
    return whenReady(lookup.byPrincipal(principalName(principal)), (known) => known?.unlock);
  };
  // A code that came at the last moment is still entered.
  const patience = unlock.lifetime + 60_000;
  return { desk, attend, owes, method: unlockExchange({ desk, owes, patience }) };
}

/** Device types whose codes prove nothing are named at each start, and whenever they are changed. */
export async function announceUnsafeUnlocks({ registry, events }: Pick<UnlockOptions, 'registry' | 'events'>) {
  for await (const organisation of everything((page) => registry.organisations.list(page))) {
    for await (const type of everything((page) => registry.types.list({ organisation: organisation.id, ...page }))) {
      announceUnsafe(type, events.emit.bind(events));
    }
  }
}

function announceUnsafe({ organisation, id, unlock }: DeviceType, emit: EventStream['emit']): void {
  if (!unlock?.allowCodeInReply) return;
  emit({
    type: 'server.unsafe',
    setting: `device type ${organisation}/${id}, unlock.allowCodeInReply`,
    meaning: 'One-time codes are told to the very devices that ask for them: they prove no presence.',
  });
}

async function* everything<T>(list: (page: { after?: string }) => Promise<{ items: readonly T[]; next?: string }>) {
  let after: string | undefined;
  do {
    const page = await list(after === undefined ? {} : { after });
    yield* page.items;
    after = page.next;
  } while (after !== undefined);
}

type UnlockConfiguration = Configuration['unlock'];

const notConfigured =
  (key: string): DeliverCode =>
  async () => {
    throw new Error(`${key} is not set in the configuration.`);
  };

function mailDelivery(unlock: UnlockConfiguration, now: () => number): DeliverCode {
  const send = configuredMail(unlock);
  return send ? mailCode({ send, now }) : notConfigured('unlock.mail.host');
}

function webHookDelivery({ webHook, deliveryTimeout }: UnlockConfiguration, now: () => number): DeliverCode {
  const { url, secretFile, ca } = webHook;
  if (url === '') return notConfigured('unlock.webHook.url');
  const secret = signingSecret('unlock.webHook', secretFile);
  return webHookCode(signedPost({ url, secret, timeout: deliveryTimeout, now, ...trusted('unlock.webHook.ca', ca) }));
}

/** QoS 0 and only to who listens now: a code must not wait in the queue of an absent application, nor on disk. */
function applicationDelivery(broker: UnlockOptions['broker']): DeliverCode {
  return async ({ organisation, principal, clientId, address, code, expiresAt, owner }) => {
    const parsed = parsePrincipal(principal);
    if (!parsed.ok || !('type' in parsed.value)) throw new Error(`${principal} is no device.`);
    const topic = `iot-2/type/${parsed.value.type}/id/${parsed.value.id}/unlock-code`;
    if (!(await broker().reaches(organisation, topic)))
      throw new Error(`No connected application listens to ${topic}.`);
    const letter = { code, principal, clientId, address, expiresAt: new Date(expiresAt).toISOString(), owner };
    broker().publish(organisation, { topic, payload: JSON.stringify(letter) });
  };
}
