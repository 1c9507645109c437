import type { Principal, TraceStep } from '@sallyport/model';
import type { BrokerLimits, LimitName } from './limits.ts';

/** Configuration keys of the bounds; those that begin with a dot differ by the kind of principal. */
const KEYS: Readonly<Partial<Record<LimitName, string>>> = {
  connections: 'maximumConnections',
  maximumPacketSize: 'maximumPacketSize',
  watsonPayload: 'maximumPayloadSize',
  willSize: 'maximumWillSize',
  takeoverRate: 'maximumTakeoverRate',
  slowdown: 'maximumSlowdown',
  sessions: 'maximumSessions',
  topicLevels: 'maximumTopicLevels',
  outgoingBytesHard: 'maximumUnsentSizeHard',
  topicAliasMaximum: 'topicAliasMaximum',
  retainedMessages: 'maximumRetainedMessages',
  retainedBytes: 'maximumRetainedSize',
  scalableInstances: 'maximumInstances',
  organisationConnections: 'organisations.maximumConnections',
  organisationMessageRate: 'organisations.maximumMessageRate',
  organisationByteRate: 'organisations.maximumByteRate',
  organisationSubscriptions: 'organisations.maximumSubscriptions',
  principalSessions: '.maximumSessions',
  messageRate: '.maximumMessageRate',
  byteRate: '.maximumByteRate',
  connectRate: '.maximumConnectRate',
  subscriptionsPerSession: '.maximumSubscriptions',
  receiveMaximum: '.receiveMaximum',
  inflight: '.maximumInflight',
  queueMessages: '.maximumQueuedMessages',
  queueBytes: '.maximumQueuedSize',
};

/** The configuration key that sets a bound for a principal, for example `limits.devices.maximumSubscriptions`. */
export function limitKey(limit: LimitName, { kind }: Principal): string {
  const key = KEYS[limit] ?? limit;
  return key.startsWith('.') ? `limits.${kind}s${key}` : `limits.${key}`;
}

/** What the operator can do about a bound that was met, where it is set: by the device type, or in the configuration. */
export function limitCure(limit: LimitName, principal: Principal, { ofType }: Partial<BrokerLimits>): string {
  if (ofType?.has(limit) && 'type' in principal) {
    const name = (KEYS[limit] ?? limit).replace(/^\./, '');
    const { organisation, type } = principal;
    return `Use less of it, or raise ${name} of the device type: sallyport type set ${type} --org ${organisation} --limits ${name}=MORE.`;
  }
  return `Use less of it, or raise ${limitKey(limit, principal)} in the configuration if this much is wanted.`;
}

/** The step that makes a limit the reason of a refusal. */
export function limitStep(what: string, found: number | string, most: number | string): TraceStep {
  return {
    stage: 'limits',
    outcome: 'failed',
    text: `${what}: ${found}; at most ${most} are allowed.`,
    compared: { what, found: String(found), expected: `at most ${most}` },
  };
}

/** A bound that an action has met, and the step that says so. */
export interface MetLimit {
  readonly limit: LimitName;
  readonly step: TraceStep;
}
