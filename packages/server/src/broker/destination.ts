import type { Realm } from './realm.ts';
import type { Route } from './route.ts';

/** What the bytes of an organisation and a topic mean in this worker. */
export interface Destination {
  readonly key: Buffer;
  readonly realm: Realm;
  readonly route: Route;
}
