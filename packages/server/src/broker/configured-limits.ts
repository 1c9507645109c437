import type { Principal } from '@sallyport/model';
import type { Configuration } from '../config/schema.ts';
import type { BrokerLimits } from './limits.ts';

/** The broker's bounds as the configuration sets them, those of an application standing for everybody. */
export function configuredLimits({ limits, accessTokens }: Configuration): BrokerLimits {
  return {
    connections: limits.maximumConnections,
    organisationConnections: limits.organisations.maximumConnections,
    organisationMessageRate: limits.organisations.maximumMessageRate,
    organisationByteRate: limits.organisations.maximumByteRate,
    organisationSubscriptions: limits.organisations.maximumSubscriptions,
    takeoverRate: limits.maximumTakeoverRate,
    expiryNotice: accessTokens.expiryNotice,
    slowdown: limits.maximumSlowdown,
    willSize: limits.maximumWillSize,
    connectDeadline: limits.connectTimeout,
    closeDeadline: limits.closeTimeout,
    maximumPacketSize: limits.maximumPacketSize,
    watsonPayload: limits.maximumPayloadSize,
    keepAliveMaximum: Math.floor(limits.keepAliveMaximum / 1000),
    sessionExpiryMaximum: Math.floor(limits.sessionExpiryMaximum / 1000),
    sessions: limits.maximumSessions,
    topicLevels: limits.maximumTopicLevels,
    outgoingBytes: limits.maximumUnsentSize,
    outgoingBytesHard: limits.maximumUnsentSizeHard,
    topicAliasMaximum: limits.topicAliasMaximum,
    retainedMessages: limits.maximumRetainedMessages,
    retainedBytes: limits.maximumRetainedSize,
    scalableInstances: limits.maximumInstances,
    ...sessionLimits(limits.applications),
  };
}

/** Bounds of single sessions, by what kind of principal they belong to. */
export function limitsByPrincipal({ limits }: Configuration): (principal: Principal) => Partial<BrokerLimits> {
  const devices = sessionLimits(limits.devices);
  const gateways = sessionLimits(limits.gateways);
  const applications = sessionLimits(limits.applications);
  return ({ kind }) => (kind === 'device' ? devices : kind === 'gateway' ? gateways : applications);
}

function sessionLimits(figures: Configuration['limits']['devices']) {
  return {
    principalSessions: figures.maximumSessions,
    messageRate: figures.maximumMessageRate,
    byteRate: figures.maximumByteRate,
    connectRate: figures.maximumConnectRate,
    subscriptionsPerSession: figures.maximumSubscriptions,
    receiveMaximum: figures.receiveMaximum,
    inflight: figures.maximumInflight,
    queueMessages: figures.maximumQueuedMessages,
    queueBytes: figures.maximumQueuedSize,
  };
}
