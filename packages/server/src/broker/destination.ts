import type { Realm } from './realm.ts';
import type { Route } from './route.ts';

/** What an organisation and a topic, as another worker has numbered them, mean in this one. */
export interface Destination {
  readonly realm: Realm;
  readonly route: Route;
}
