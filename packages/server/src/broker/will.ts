import { resolveTopic } from '@sallyport/model';
import type { Will } from '@sallyport/mqtt';
import type { BrokerContext } from './context.ts';
import { dispatchOwned } from './dispatch.ts';
import { demandOn, formProblem } from './payload-demand.ts';
import { encodedProperties } from './publish-properties.ts';
import { refuseForm } from './refuse-form.ts';
import type { KeptWill, Session } from './session.ts';

/** The will of CONNECT as it is kept: in the full topic, in bytes of its own. */
export function keptWill({ scope, watson }: Session, will: Will): KeptWill {
  const topic = scope === undefined ? will.topic : resolveTopic(scope, will.topic);
  const properties = encodedProperties(will.properties);
  return {
    message: {
      topic,
      topicBytes: Buffer.from(topic),
      body: Buffer.concat([properties, will.payload]),
      payloadStart: properties.length,
      qos: will.qos,
      retain: will.retain && !watson,
      expiresAt: 0,
      storeId: 0,
      references: 0,
      volatile: false,
    },
    delay: will.properties?.willDelayInterval ?? 0,
    expiry: will.properties?.messageExpiryInterval,
  };
}

/** Sends the will of a client that has gone, if it is still permitted at this moment [MQTT-3.1.2-8]. */
export function sendWill(context: BrokerContext, session: Session): void {
  const { will, rights } = session;
  if (will === undefined) return;
  session.will = undefined;
  context.wheel.cancel(session.willTimer);
  if (!rights.permits('publish', will.message.topic)) {
    context.counters.messagesDenied++;
    context.events.emit({ type: 'message.denied', refusal: rights.refuse('will', will.message.topic) });
    return;
  }
  if (hasWrongForm(context, session, will)) return;
  const expiresAt = will.expiry === undefined ? 0 : context.now() + will.expiry * 1000;
  dispatchOwned(context, session.organisation, { ...will.message, expiresAt }, session);
}

/** Whether a will is not what the device type demands of payloads; then it has been refused. */
export function hasWrongForm(context: BrokerContext, session: Session, { message }: KeptWill): boolean {
  const { payloadDemands } = context;
  const demand = payloadDemands && demandOn(payloadDemands, session, message.topic);
  const problem = demand && formProblem(demand, message.body.subarray(message.payloadStart));
  if (demand === undefined || problem === undefined) return false;
  context.counters.messagesDenied++;
  refuseForm(context, session, 'will', message.topic, demand, problem);
  return true;
}
