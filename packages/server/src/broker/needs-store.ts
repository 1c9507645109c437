import type { PublishFrame } from '@sallyport/mqtt';
import type { Realm } from './realm.ts';
import type { Route } from './route.ts';
import type { Session } from './session.ts';

/** Whether a QoS 1 or 2 publish may be acknowledged only when the store has taken it. Asked while the store fails. */
export function needsStore(
  realm: Realm,
  sender: Session,
  route: Route,
  { qos, retain }: Pick<PublishFrame, 'qos' | 'retain'>,
): boolean {
  if ((retain && !sender.watson) || (qos === 2 && sender.storeId > 0)) return true;
  return reachesStored(realm, route);
}

/** Whether a QoS 1 or 2 message of this route waits in the store for somebody. */
export function reachesStored({ router }: Realm, route: Route): boolean {
  if (route.version !== router.version) router.refresh(route);
  const stored = ({ receiver, qos }: Route['targets'][number]) => receiver.storeId > 0 && qos > 0;
  return route.targets.some(stored) || route.groups.some(({ targets }) => targets.some(stored));
}
