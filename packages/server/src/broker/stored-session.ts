import type { TransportFacts } from '../events/transport-facts.ts';
import type { Subscription } from './route.ts';
import type { KeptWill, Session } from './session.ts';
import type { StoredSession, StoredSubscription, StoredWill } from './session-store.ts';

const NOWHERE: TransportFacts = {
  listener: '',
  transport: 'tls',
  secure: true,
  remoteAddress: '',
  remotePort: 0,
  localPort: 0,
};

/** A session as the store keeps it. */
export function storedSession(session: Session): StoredSession {
  const { share, will, lastFacts } = session;
  const { certificate: _, certificateChain: __, ...facts } = lastFacts ?? NOWHERE;
  return {
    id: session.storeId,
    organisation: session.organisation,
    clientId: session.clientId,
    grounds: session.grounds,
    scoped: session.scope !== undefined,
    watson: session.watson,
    assurance: session.assurance,
    version: session.version,
    expiry: session.expiry,
    ...(share === undefined ? {} : { share }),
    facts,
    connectedAt: session.connectedAt,
    leftAt: session.link === undefined ? session.lastLeft : 0,
    ...(will === undefined ? {} : { will: storedWill(will) }),
  };
}

/** A stored session that has been JSON for a while: its will in bytes again. */
export function withBytes(stored: StoredSession): StoredSession {
  const { will } = stored;
  if (will === undefined) return stored;
  const { message } = will;
  const bytes = { topicBytes: Buffer.from(message.topicBytes), body: Buffer.from(message.body) };
  return { ...stored, will: { ...will, message: { ...message, ...bytes } } };
}

function storedWill({ message, delay, expiry }: KeptWill): StoredWill {
  return { message, delay, ...(expiry === undefined ? {} : { expiry }) };
}

/** A subscription as the store keeps it. */
export function storedSubscription(subscription: Subscription): StoredSubscription {
  const { written, filter, share, qos, noLocal, retainAsPublished, identifier } = subscription;
  return {
    written,
    filter,
    ...(share === undefined ? {} : { share }),
    qos,
    noLocal,
    retainAsPublished,
    identifier,
  };
}
