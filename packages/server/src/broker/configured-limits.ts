import { type Principal, TYPE_LIMIT_NAMES, type TypeLimitName, type TypeLimits } from '@sallyport/model';
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

/**
 * Bounds of single sessions: those of the principal's device type, where it has some (`ofType`), else by what kind of principal they
 * belong to.
 */
export function limitsByPrincipal(
  { limits }: Configuration,
  ofType: (principal: Principal) => Partial<BrokerLimits> | undefined = () => undefined,
): (principal: Principal) => Partial<BrokerLimits> {
  const devices = sessionLimits(limits.devices);
  const gateways = sessionLimits(limits.gateways);
  const applications = sessionLimits(limits.applications);
  return (principal) => {
    const { kind } = principal;
    const usual = kind === 'device' ? devices : kind === 'gateway' ? gateways : applications;
    const own = ofType(principal);
    return own === undefined ? usual : { ...usual, ...own };
  };
}

/** The bounds of a device type as the broker knows them. */
export function limitsOfType(figures: TypeLimits): Partial<BrokerLimits> {
  const own = TYPE_LIMIT_NAMES.flatMap((name) => {
    const figure = figures[name];
    return figure === undefined ? [] : [[BROKER_NAMES[name], figure] as const];
  });
  return { ...Object.fromEntries(own), ofType: new Set(own.map(([name]) => name)) };
}

const BROKER_NAMES = {
  maximumSessions: 'principalSessions',
  maximumMessageRate: 'messageRate',
  maximumByteRate: 'byteRate',
  maximumConnectRate: 'connectRate',
  maximumSubscriptions: 'subscriptionsPerSession',
  receiveMaximum: 'receiveMaximum',
  maximumInflight: 'inflight',
  maximumQueuedMessages: 'queueMessages',
  maximumQueuedSize: 'queueBytes',
} as const satisfies Record<TypeLimitName, keyof BrokerLimits>;

function sessionLimits(figures: Configuration['limits']['devices']): Bounded {
  const named = TYPE_LIMIT_NAMES.map((name) => [BROKER_NAMES[name], figures[name]] as const);
  return Object.fromEntries(named) as Bounded;
}

type Bounded = Pick<BrokerLimits, (typeof BROKER_NAMES)[TypeLimitName]>;
