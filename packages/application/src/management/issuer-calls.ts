import type { IssuerDocument, IssuerIntrospection, IssuerSettings, Page } from '@sallyport/model';
import type { Caller, PageOptions } from './caller.ts';

/** As {@link IssuerIntrospection}, with what has a default left out at will. */
type Introspection = Omit<IssuerIntrospection, 'cache'> & { readonly cache?: number };

/** What is left out has the default of the server. */
export interface NewIssuerRequest extends Partial<Omit<IssuerSettings, 'issuer' | 'audience' | 'introspection'>> {
  readonly id: string;
  readonly issuer: string;
  readonly audience: string;
  readonly introspection?: Introspection;
}

/** What is left out stays; null takes a setting away. */
export interface IssuerChange extends Partial<Omit<IssuerSettings, 'tokens' | 'jwksUrl' | 'keys' | 'introspection'>> {
  readonly jwksUrl?: string | null;
  readonly keys?: string | null;
  readonly introspection?: Introspection | null;
}

/** The authorization servers whose access tokens an organisation takes. */
export function issuerCalls(caller: Caller) {
  const base = (organisation: string) => ['organisations', organisation, 'issuers'];
  return {
    list: (organisation: string, page: PageOptions = {}) =>
      caller.json<Page<IssuerDocument>>('GET', base(organisation), { query: { ...page } }),
    add: (organisation: string, body: NewIssuerRequest) =>
      caller.json<IssuerDocument>('POST', base(organisation), { body }),
    get: (organisation: string, id: string) => caller.json<IssuerDocument>('GET', [...base(organisation), id]),
    /** Sessions that stand on its tokens end, and may come back. */
    update: (organisation: string, id: string, body: IssuerChange) =>
      caller.json<IssuerDocument>('PATCH', [...base(organisation), id], { body }),
    /** Ends the sessions that stand on its tokens. */
    remove: (organisation: string, id: string) => caller.nothing('DELETE', [...base(organisation), id]),
  };
}
