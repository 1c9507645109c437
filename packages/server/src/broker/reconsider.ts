import { REASONS } from '@sallyport/model';
import { ReasonCode } from '@sallyport/mqtt';
import type { Standing } from './arrival.ts';
import type { BrokerContext } from './context.ts';
import { removeSession } from './departure.ts';
import { CLOSE_CODES, type Ending } from './ending.ts';
import type { BrokerLimits } from './limits.ts';
import type { Realm } from './realm.ts';
import type { Session } from './session.ts';
import { Alarm } from './timer-wheel.ts';
import { endUncovered } from './unsubscribe.ts';

/** What DISCONNECT can say of grounds that have gone (MQTT 5 table 3-10); whatever else ended them is "not authorized". */
const SAID: ReadonlySet<number> = new Set([ReasonCode.notAuthorized, ReasonCode.administrativeAction]);

/**
 * Judges one session anew: ends it if its grounds have gone, else drops what was decided before and what is no longer covered, and puts
 * the bounds of its principal into force where they may be others.
 */
export async function reconsider(
  context: BrokerContext,
  realm: Realm,
  session: Session,
  bounds: 'as they are' | 'anew' = 'as they are',
): Promise<void> {
  // Before anything is awaited: from this moment no earlier answer is believed.
  session.forgetDecisions();
  const { grounds } = session;
  let standing: Standing;
  let limits: Partial<BrokerLimits> | undefined;
  try {
    [standing, limits] = await Promise.all([
      context.regrounds(grounds, session.link?.facts),
      bounds === 'anew' ? context.limitsOf?.(session.principal) : undefined,
    ]);
  } catch (error) {
    context.counters.defects++;
    const problem = error instanceof Error ? (error.stack ?? error.message) : String(error);
    context.events.emit({ type: 'defect', where: 'broker regrounds', problem });
    standing = { ended: 'authenticator_unavailable', text: 'The grounds of the session could not be judged.' };
  }
  // It may have ended, or come back on other grounds, while we asked.
  if (realm.sessions.get(session.clientId) !== session || session.grounds !== grounds) return;
  session.forgetDecisions();
  if (standing === 'stands' && !mayStayConnected(session)) {
    const text = `The policy does not permit the client id ${session.clientId} any more.`;
    standing = { ended: 'client_id_not_permitted', text };
  }
  if (standing === 'stands') {
    if (limits !== undefined) bound(context, session, limits);
    endUncovered(context, realm, session);
    return;
  }
  const { reasonCode, stage, cure } = REASONS[standing.ended];
  const refusal = context.refuse({
    action: 'session',
    reason: standing.ended,
    reasonCode,
    organisation: session.organisation,
    principal: session.principalName,
    clientId: session.clientId,
    address: session.lastAddress,
    steps: [{ stage, outcome: 'failed', text: standing.text }],
    cure: standing.cure ?? cure,
  });
  expel(context, realm, session, {
    reasonCode: SAID.has(reasonCode) ? reasonCode : ReasonCode.notAuthorized,
    closeCode: CLOSE_CODES.notAuthorised,
    text: standing.text,
    ticket: refusal.ticket,
    will: false,
  });
}

/** Puts the bounds of this moment into force. What was told to a client that is here holds until it comes again. */
function bound({ limits }: BrokerContext, session: Session, own: Partial<BrokerLimits>): void {
  const { receiveMaximum } = session.limits;
  session.limits = { ...limits, ...own, ...(session.link === undefined ? {} : { receiveMaximum }) };
  session.account.traffic.grant(session.limits.messageRate, session.limits.byteRate);
}

/** While the policy is being read nothing is permitted, which is no reason to end what it may permit. Assigned names were never asked for. */
function mayStayConnected(session: Session): boolean {
  const { clientId } = session;
  const rights = session.raised ?? session.rights;
  if (rights.version < 0 || rights.permits('connect', clientId)) return true;
  return clientId.startsWith('auto-') && rights.permits('connect', '');
}

/** Closes a session and forgets it, whether its client is here or away. Its will is not sent. */
export function expel(context: BrokerContext, realm: Realm, session: Session, ending: Ending): void {
  if (session.link !== undefined) {
    session.link.end({ ...ending, forget: true });
    return;
  }
  session.will = undefined;
  removeSession(context, realm, session);
}

/** A clock may be set and a machine may sleep while ticks are not counted: the date is looked at again at least so often. */
const LOOK_AGAIN = 60_000;

/**
 * Counts an admitted or restored session among those of its principal, so that it is found when the principal's rights change,
 * and sees to it that it ends when its credential expires, at most a second later.
 */
export function enrol(context: BrokerContext, realm: Realm, session: Session): void {
  session.account = context.accounts.of(session.principalName, context.now());
  session.account.sessions.add(session);
  session.account.traffic.grant(session.limits.messageRate, session.limits.byteRate);
  watchGrounds(context, realm, session);
}

/** Sees to it that the session ends with its credential, as {@link enrol} does; for one that has come to stand on another. */
export function watchGrounds(context: BrokerContext, realm: Realm, session: Session): void {
  const { wheel, now } = context;
  const { grounds } = session;
  const { expiresAt = Number.POSITIVE_INFINITY, judgedFor = Number.POSITIVE_INFINITY } = grounds;
  wheel.cancel(session.groundsTimer);
  if (Math.min(expiresAt, judgedFor) === Number.POSITIVE_INFINITY) return;
  session.groundsTimer ??= new Alarm();
  const timer = session.groundsTimer;
  let judgedAt = now();
  let warned = false;
  const next = (): void => {
    const soon = warned ? expiresAt : expiresAt - context.limits.expiryNotice;
    const wait = Math.min(soon - now(), judgedAt + judgedFor - now(), LOOK_AGAIN);
    wheel.schedule(timer, Math.max(0, wait));
  };
  timer.ring = () => {
    const left = expiresAt - now();
    if (left > 0 && left <= context.limits.expiryNotice && !warned) {
      warned = true;
      announceEnd(context, session, expiresAt);
    }
    const again = now() - judgedAt >= judgedFor;
    if (left > 0) {
      if (again) judgedAt = now();
      next();
    }
    if (left <= 0 || again) void reconsider(context, realm, session);
  };
  next();
}

/** Only where somebody is there to do something about it. */
function announceEnd({ events }: BrokerContext, session: Session, expiresAt: number): void {
  if (session.link === undefined) return;
  const { organisation, clientId, principalName: principal, grounds } = session;
  const { credential, credentialKind } = grounds;
  events.emit({ type: 'session.expiring', organisation, clientId, principal, credential, credentialKind, expiresAt });
}
