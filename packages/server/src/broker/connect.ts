import { parseClientId, principalName, REASONS, type Refusal, type RefusalReason } from '@sallyport/model';
import type { Connect } from '@sallyport/mqtt';
import type { Evidence } from '../authentication/authenticator.ts';
import type { Exchange } from '../authentication/exchange.ts';
import type { TransportFacts } from '../events/transport-facts.ts';
import type { Admission, Arrival, ArrivalVerdict } from './arrival.ts';
import type { BrokerContext } from './context.ts';
import { limitCure, limitStep } from './limit-keys.ts';
import type { NotOpened } from './not-opened.ts';

/** What the doors look at of CONNECT. */
export type Knock = Pick<Connect, 'clientId' | 'username' | 'password' | 'will' | 'protocolVersion' | 'cleanStart'>;

/** What is kept of the CONNECT of a client that may authenticate itself again: no secret. */
export interface Greeting extends Omit<Knock, 'password' | 'will'> {
  /** The client id with which it was admitted. */
  readonly admittedAs: string;
}

/** Turns CONNECT into an arrival and asks both doors. Answers at once where nobody has to wait for anything. */
export function askDoors(
  context: BrokerContext,
  packet: Knock,
  transport: TransportFacts,
  exchange?: Exchange,
): ArrivalVerdict | Promise<ArrivalVerdict> {
  const clientId = parseClientId(packet.clientId);
  // A certificate may name the client better than its client id does; then the first door decides.
  const maybeNamed = transport.certificate !== undefined && transport.serverName !== undefined;
  if (!clientId.ok && !maybeNamed) {
    const text = `The client id ${JSON.stringify(packet.clientId.slice(0, 128))}: ${clientId.problem}.`;
    return refused(context, packet, transport, 'malformed_client_id', text);
  }
  // MQTT 3.1 section 3.1: one to 23 characters; the server makes up identifiers only since 3.1.1.
  if (packet.protocolVersion === 3 && packet.clientId === '') {
    const text = 'The client id is empty, which MQTT 3.1 forbids.';
    return refused(context, packet, transport, 'malformed_client_id', text);
  }
  const evidence: Evidence = {
    clientId: clientId.ok ? clientId.value : { kind: 'plain', text: packet.clientId },
    ...(clientId.ok ? {} : { clientIdProblem: clientId.problem }),
    transport,
    ...(packet.username === undefined ? {} : { username: packet.username }),
    ...(packet.password === undefined ? {} : { password: packet.password }),
    ...(exchange === undefined ? {} : { exchange }),
  };
  const { will } = packet;
  const arrival: Arrival = {
    evidence,
    protocolVersion: packet.protocolVersion,
    cleanStart: packet.cleanStart,
    ...(will === undefined ? {} : { will: { topic: will.topic, qos: will.qos, retain: will.retain } }),
  };
  try {
    const verdict = context.arrive(arrival);
    return verdict instanceof Promise ? verdict.catch((error) => broken(context, packet, transport, error)) : verdict;
  } catch (error) {
    return broken(context, packet, transport, error);
  }
}

/** A door that breaks is closed. */
function broken(context: BrokerContext, packet: Knock, transport: TransportFacts, error: unknown): ArrivalVerdict {
  const problem = error instanceof Error ? (error.stack ?? error.message) : String(error);
  context.counters.defects++;
  context.events.emit({ type: 'defect', where: 'arrival', problem });
  return refused(context, packet, transport, 'authenticator_unavailable', 'Judging the client failed.');
}

function refused(
  context: BrokerContext,
  packet: Knock,
  transport: TransportFacts,
  reason: RefusalReason,
  text: string,
): ArrivalVerdict {
  return { outcome: 'refused', reason, refusal: refuseConnect(context, packet.clientId, transport, reason, text) };
}

/** Records the refusal of a connection that the broker itself decides. */
export function refuseConnect(
  context: BrokerContext,
  clientId: string | undefined,
  transport: TransportFacts,
  reason: RefusalReason,
  text: string,
): Refusal {
  const { reasonCode, stage, cure } = REASONS[reason];
  return context.refuse({
    action: 'connect',
    reason,
    reasonCode,
    ...(clientId === undefined ? {} : { clientId: clientId.slice(0, 256), resource: clientId.slice(0, 256) }),
    address: transport.remoteAddress,
    listener: transport.listener,
    steps: [{ stage, outcome: 'failed', text }],
    cure,
  });
}

/** Records the refusal of a client that came through both doors and met a bound. */
export function refuseAdmitted(
  context: BrokerContext,
  clientId: string,
  transport: TransportFacts,
  { principal, limits = {} }: Admission,
  { reason, text, limit }: NotOpened,
): Refusal {
  if (limit === undefined) return refuseConnect(context, clientId, transport, reason, text);
  const { reasonCode } = REASONS[reason];
  const { name, what, found, most } = limit;
  return context.refuse({
    action: 'connect',
    reason,
    reasonCode,
    ...(principal.kind === 'operator' ? {} : { organisation: principal.organisation }),
    principal: principalName(principal),
    clientId: clientId.slice(0, 256),
    resource: clientId.slice(0, 256),
    address: transport.remoteAddress,
    listener: transport.listener,
    steps: [limitStep(what, found, most)],
    cure: limitCure(name, principal, limits),
  });
}
