import type {
  AlertChannelDocument,
  AlertTestDocument,
  IncidentDocument,
  IncidentResponse,
  Page,
} from '@sallyport/model';
import type { Caller, PageOptions } from './caller.ts';

/** Suspicions and what is done about them. */
export function incidentCalls(caller: Caller) {
  const path = (id: string) => ['incidents', id];
  return {
    /** Newest first. */
    list: (filter: { readonly organisation?: string; readonly state?: IncidentDocument['state'] } & PageOptions = {}) =>
      caller.json<Page<IncidentDocument>>('GET', ['incidents'], { query: { ...filter } }),
    get: (id: string) => caller.json<IncidentDocument>('GET', path(id)),
    /** `deregister` cannot be taken back. */
    contain: (id: string, response: IncidentResponse) =>
      caller.json<IncidentDocument>('POST', [...path(id), 'contain'], { body: { response } }),
    release: (id: string) => caller.json<IncidentDocument>('POST', [...path(id), 'release']),
    resolve: (id: string) => caller.json<IncidentDocument>('POST', [...path(id), 'resolve']),
    /** Ways by which incidents are told, and how they stand. */
    alerts: () => caller.json<{ items: readonly AlertChannelDocument[] }>('GET', ['alerts']),
    /** Sends a test by every way. */
    testAlerts: () => caller.json<{ items: readonly AlertTestDocument[] }>('POST', ['alerts', 'test']),
  };
}
