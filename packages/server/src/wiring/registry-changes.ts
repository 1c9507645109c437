import type { PolicyStore } from '../authorization/policy-store.ts';
import { followRegistry } from '../broker/follow-registry.ts';
import type { BrokerApi } from '../broker/whole-server.ts';
import type { ServerEvent } from '../events/events.ts';
import type { RegistryChange } from '../registry/records.ts';
import type { UnderWay } from './under-way.ts';

export interface RegistryChangesParts {
  /** Who keeps something of the registry, in the order in which they are told. */
  readonly before: readonly Follower[];
  /** Told once the event is out. */
  readonly after: readonly Follower[];
  readonly policies: Pick<PolicyStore, 'changed' | 'removed'>;
  readonly broker: Pick<BrokerApi, 'reconsider'>;
  readonly underWay: UnderWay;
  readonly emit: (event: ServerEvent) => void;
}

type Follower = (change: RegistryChange) => unknown;

/** What a change of the registry sets going: the event, everybody who keeps something of it, and the rights of live sessions. */
export function registryChanges({ before, after, policies, broker, underWay, emit }: RegistryChangesParts): Follower {
  return (change) => {
    for (const follow of before) follow(change);
    const { by, action, target, organisation } = change;
    const whose = organisation === undefined ? {} : { organisation };
    emit({ type: 'registry.changed', by, action, target, ...whose });
    for (const follow of after) follow(change);
    const rights = followRegistry(change, { policies, broker });
    underWay.add(
      rights.catch((problem: unknown) => {
        emit({ type: 'defect', where: `rights after ${action} of ${target}`, problem: String(problem) });
      }),
    );
  };
}
