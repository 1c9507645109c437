import { principalName, REASONS } from '@sallyport/model';
import type { Admission, ArrivalVerdict } from './arrival.ts';
import type { AuthExchange } from './auth-exchange.ts';
import { askDoors, type Greeting } from './connect.ts';
import type { BrokerContext } from './context.ts';
import type { Link } from './link.ts';
import type { Realm } from './realm.ts';
import { reconsider, watchGrounds } from './reconsider.ts';
import type { Session } from './session.ts';
import { endUncovered } from './unsubscribe.ts';

/** What came of a client that authenticated itself again: the ticket of the refusal, or nothing. */
export type Renewal = { readonly renewed: true } | { readonly renewed: false; readonly ticket: string };

/**
 * Judges a client with a session once more (MQTT 5 section 4.12.1) and puts the session on its new grounds. Whoever proves to be
 * somebody else, or to have another client id, gets nothing.
 */
export async function renew(
  context: BrokerContext,
  realm: Realm,
  session: Session,
  link: Link,
  greeting: Greeting,
  exchange: AuthExchange,
): Promise<Renewal> {
  const verdict: ArrivalVerdict = await askDoors(context, greeting, link.facts, exchange);
  if (verdict.outcome === 'refused') return { renewed: false, ticket: verdict.refusal.ticket };
  const admission = verdict.session;
  const other = otherThan(session, greeting, admission);
  if (other !== undefined) return { renewed: false, ticket: refuseOther(context, session, other) };
  if (session.link !== link) return { renewed: true };
  standOn(session, admission);
  session.forgetDecisions();
  watchGrounds(context, realm, session);
  endUncovered(context, realm, session);
  context.durability.save(session);
  // Its grounds are others now: whoever was judging the old ones has let it pass.
  void reconsider(context, realm, session);
  const { organisation, clientId, grounds } = session;
  context.events.emit({
    type: 'session.renewed',
    organisation,
    clientId,
    principal: session.principalName,
    credential: grounds.credential,
    credentialKind: grounds.credentialKind,
    ...(grounds.expiresAt === undefined ? {} : { expiresAt: grounds.expiresAt }),
  });
  return { renewed: true };
}

/** A renewal proves who the client is, and not that somebody is there: whether a one-time code is owed stays as it was. */
function standOn(session: Session, { grounds, rights, raised = rights }: Admission): void {
  const { presence: _, ...proven } = grounds;
  const { presence } = session.grounds;
  session.grounds = presence === undefined ? proven : { ...proven, presence };
  if (session.raised === undefined) session.rights = raised;
  else {
    session.raised = raised;
    if (raised !== rights) session.rights = rights;
  }
}

interface Other {
  readonly what: string;
  readonly found: string;
  readonly expected: string;
}

function otherThan(session: Session, { admittedAs }: Greeting, admission: Admission): Other | undefined {
  const found = principalName(admission.principal);
  if (found !== session.principalName) return { what: 'principal', found, expected: session.principalName };
  if (admission.clientId === admittedAs) return undefined;
  return { what: 'client id', found: admission.clientId, expected: admittedAs };
}

function refuseOther(context: BrokerContext, session: Session, compared: Other): string {
  const { reasonCode, stage, cure } = REASONS.renewal_refused;
  return context.refuse({
    action: 'session',
    reason: 'renewal_refused',
    reasonCode,
    organisation: session.organisation,
    principal: session.principalName,
    clientId: session.clientId,
    address: session.lastAddress,
    steps: [{ stage, outcome: 'failed', text: 'The client authenticated itself again as somebody else.', compared }],
    cure,
  }).ticket;
}
