import type { Page, PolicyCheck, PolicyVersionDocument } from '@sallyport/model';
import type { Caller } from './caller.ts';

/** Statements of an organisation, and the built-in ones. */
export function policyCalls(caller: Caller) {
  const path = (organisation: string) => ['organisations', organisation, 'policy'];
  return {
    get: (organisation: string) => caller.json<PolicyVersionDocument>('GET', path(organisation)),
    /**
     * Puts a policy (YAML or JSON text) into force. With `over`, the version that was read, it fails with `changed_meanwhile`
     * if somebody else has saved since.
     */
    put: (organisation: string, text: string, options: { readonly over?: number } = {}) =>
      caller.json<PolicyVersionDocument>('PUT', path(organisation), {
        body: { text },
        ...(options.over !== undefined && { headers: { 'if-match': `"${options.over}"` } }),
      }),
    /** What is wrong with a text, by line and column. Saves nothing. */
    check: (organisation: string, text: string) =>
      caller.json<PolicyCheck>('POST', [...path(organisation), 'check'], { body: { text } }),
    /** Newest first. */
    versions: (organisation: string) =>
      caller.json<Page<PolicyVersionDocument>>('GET', [...path(organisation), 'versions']),
    version: (organisation: string, version: number) =>
      caller.json<PolicyVersionDocument>('GET', [...path(organisation), 'versions', String(version)]),
    /** The statements that hold in every organisation, as YAML. */
    builtin: async () => (await caller.send('GET', ['policy', 'builtin'])).text,
  };
}
