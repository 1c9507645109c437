import { randomBytes } from 'node:crypto';
import { type Principal, parsePrincipal, principalName } from '@sallyport/model';
import type { Containments } from '../authorization/containments.ts';
import type { BrokerLimits } from '../broker/limits.ts';
import type { BrokerApi } from '../broker/whole-server.ts';
import type { Configuration } from '../config/schema.ts';
import type { EventStream } from '../events/stream.ts';
import { Incidents } from '../incidents/incidents.ts';
import type { Installation } from '../installation.ts';
import { incidentRecords } from '../registry/incident-records.ts';

export interface IncidentsWiringOptions {
  readonly installation: Pick<Installation, 'database' | 'registry'>;
  readonly configuration: Configuration;
  readonly events: EventStream;
  readonly containments: Containments;
  readonly broker: Pick<BrokerApi, 'reconsider' | 'setRates'>;
  /** As they are without a containment. */
  readonly limitsOf: (principal: Principal) => Partial<BrokerLimits>;
  readonly now: () => number;
}

/** Rates of a principal that is throttled, per second. */
const THROTTLED = { messageRate: 1, byteRate: 4096 };

/** The bounds of a principal, which are narrow while it is throttled. */
export function throttledLimits(
  limitsOf: (principal: Principal) => Partial<BrokerLimits>,
  containments: Containments,
): (principal: Principal) => Partial<BrokerLimits> {
  return (principal) => {
    const limits = limitsOf(principal);
    return containments.of(principalName(principal)) === 'throttle'
      ? { ...limits, ...THROTTLED, ofType: new Set<string>() }
      : limits;
  };
}

/** Incidents and what is done about them. To be opened before sessions are restored. */
export async function openIncidents(options: IncidentsWiringOptions): Promise<Incidents> {
  const { installation, configuration, events, containments, broker, limitsOf, now } = options;
  const { devices, applications } = installation.registry;
  const inRegistry = async (name: string, by: string, change: 'suspend' | 'resume' | 'remove'): Promise<void> => {
    const principal = principalOf(name);
    if (principal.kind === 'application') await applications[change]({ ...principal, by });
    else if (principal.kind !== 'operator') await devices[change]({ ...principal, by });
  };
  const incidents = new Incidents({
    store: incidentRecords(installation.database),
    containment: {
      async hold(name, level) {
        containments.set(name, level);
        broker.setRates(name, level === 'throttle' ? THROTTLED : limitsOf(principalOf(name)));
        await broker.reconsider({ principal: name });
      },
      suspend: (name, by) => inRegistry(name, by, 'suspend'),
      resume: (name, by) => inRegistry(name, by, 'resume'),
      deregister: (name, by) => inRegistry(name, by, 'remove'),
    },
    emit: (event) => events.emit(event),
    now,
    newId: () => randomBytes(5).toString('hex'),
    act: configuration.incidents.act,
    limits: configuration.incidents.limits,
  });
  await incidents.load();
  return incidents;
}

function principalOf(name: string): Principal {
  const read = parsePrincipal(name);
  if (!read.ok) throw new TypeError(`${name} is no principal`);
  return read.value;
}
