import { REASONS, type Refusal, type RefusalReason, type TraceStep } from '@sallyport/model';
import { ReasonCode } from '@sallyport/mqtt';
import type { Presence } from './attend.ts';
import type { BrokerContext } from './context.ts';
import { deliver } from './delivery.ts';
import { CLOSE_CODES } from './ending.ts';
import { pump } from './pump.ts';
import type { Realm } from './realm.ts';
import { expel } from './reconsider.ts';
import { type ServerMessage, serverMessage } from './server-message.ts';
import type { Session } from './session.ts';
import { endUncovered } from './unsubscribe.ts';

/** Gives a pending session all its rights, at once for what comes next and for what has waited. False if it is gone, or not pending. */
export function raise(context: BrokerContext, at: Presence): boolean {
  const found = connected(context, at);
  if (found === undefined) return false;
  const [realm, session] = found;
  const { raised } = session;
  if (raised === undefined) return false;
  session.assurance = 'full';
  session.rights = raised;
  session.raised = undefined;
  session.forgetDecisions();
  endUncovered(context, realm, session);
  context.durability.save(session);
  pump(context, session, realm.retained);
  return true;
}

/** Sends a message of the server to this one session, if it is subscribed to the topic and may receive it. */
export function tell(context: BrokerContext, at: Presence, message: ServerMessage): void {
  const { passage, flusher } = context;
  if (passage.busy) {
    flusher.later(() => tell(context, at, message));
    return;
  }
  const found = connected(context, at);
  if (found === undefined) return;
  const [realm, session] = found;
  const all = realm.router.route(message.topic);
  if (all.version !== realm.router.version) realm.router.refresh(all);
  const targets = all.targets.filter(({ receiver }) => receiver === session);
  if (targets.length === 0) return;
  passage.busy = true;
  try {
    passage.beginOwned({ ...all, targets, groups: [] }, serverMessage(message, context.now()), undefined, -1);
    deliver(context, passage);
  } finally {
    passage.finish();
  }
}

/** Ends this one session and forgets it, for what its client did in it. */
export function dismiss(
  context: BrokerContext,
  at: Presence,
  reason: RefusalReason,
  step: TraceStep,
  cure: string = REASONS[reason].cure,
): Refusal | undefined {
  const found = connected(context, at);
  if (found === undefined) return undefined;
  const [realm, session] = found;
  const { organisation, clientId, principalName: principal, lastAddress: address } = session;
  const refusal = context.refuse({
    action: 'session',
    reason,
    reasonCode: REASONS[reason].reasonCode,
    organisation,
    principal,
    clientId,
    address,
    steps: [step],
    cure,
  });
  expel(context, realm, session, {
    reasonCode: ReasonCode.notAuthorized,
    closeCode: CLOSE_CODES.notAuthorised,
    text: step.text,
    ticket: refusal.ticket,
    will: false,
  });
  return refusal;
}

function connected(
  { realms }: BrokerContext,
  { organisation, clientId, presence }: Presence,
): [Realm, Session] | undefined {
  const realm = realms.get(organisation);
  const session = realm?.sessions.get(clientId);
  return realm === undefined || session?.link === undefined || session.presence !== presence
    ? undefined
    : [realm, session];
}
