import { REASONS, type Refusal, type RefusalReason } from '@sallyport/model';
import type { TransportFacts } from '../events/transport-facts.ts';
import { refuseConnect } from './connect.ts';
import type { BrokerContext } from './context.ts';
import type { Ending } from './ending.ts';
import { limitCure } from './limit-keys.ts';
import type { Session } from './session.ts';

/** Records that somebody who has no session yet does not keep to the protocol. */
export function refuseStranger(
  context: BrokerContext,
  facts: TransportFacts,
  reason: RefusalReason,
  text: string,
  statement?: string,
): Refusal {
  context.counters.protocolErrors++;
  context.counters.sessionsRefused++;
  const refusal = refuseConnect(context, undefined, facts, reason, cited(text, statement));
  context.events.emit({ type: 'session.refused', refusal, transport: facts });
  return refusal;
}

/** The ticket of an ending: the one that it has, or a new one if it is a violation that nobody has recorded yet. */
export function ticketOf(
  context: BrokerContext,
  session: Session,
  facts: TransportFacts,
  { ticket, violation, text }: Ending,
): string | undefined {
  if (ticket !== undefined || violation === undefined) return ticket;
  context.counters.protocolErrors++;
  const { stage, reasonCode, cure } = REASONS[violation.reason];
  return context.refuse({
    action: 'session',
    reason: violation.reason,
    reasonCode,
    organisation: session.organisation,
    principal: session.principalName,
    clientId: session.clientId,
    address: facts.remoteAddress,
    listener: facts.listener,
    steps: [{ stage, outcome: 'failed', text: cited(text, violation.statement) }],
    cure: violation.limit === undefined ? cure : limitCure(violation.limit, session.principal, session.limits),
  }).ticket;
}

function cited(text: string, statement: string | undefined): string {
  return statement === undefined ? text : `${text} [${statement}]`;
}
