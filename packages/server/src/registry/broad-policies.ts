import { broadStatements, parsePolicyDocument } from '@sallyport/policy';
import type { ServerEvent } from '../events/events.ts';
import type { Registry } from './registry.ts';

/** Tells of each statement on record that permits everything: it is allowed, and is never silent. */
export async function announceBroadPolicies(registry: Registry, emit: (event: ServerEvent) => void): Promise<void> {
  let after: string | undefined;
  do {
    const { items, next } = await registry.organisations.list(after === undefined ? {} : { after });
    for (const { id: organisation } of items) {
      const text = (await registry.policies.get(organisation))?.text;
      const parsed = text === undefined ? undefined : parsePolicyDocument(text);
      if (!parsed?.ok) continue;
      for (const { id, why } of broadStatements(parsed.document)) {
        emit({ type: 'server.unsafe', setting: `policy of ${organisation}, statement ${id}`, meaning: why });
      }
    }
    after = next;
  } while (after !== undefined);
}
