import type { AuthorityDocument, Page } from '@sallyport/model';
import type { z } from 'zod';
import { authorityAnswer, pageAnswer } from '../answers.ts';
import type { Services } from '../api-options.ts';
import { authorityDocument, builtInAuthority, pageOf } from '../documents.ts';
import { fields, type Route, route } from '../route.ts';
import { certificatePem, organisationId, pageQuery, revocationChange, sha256 } from '../schemas.ts';

const PATH = '/organisations/:organisation/authorities';
const within = fields({ organisation: organisationId });
const params = fields({ organisation: organisationId, authority: sha256 });
const query = fields(pageQuery);
const added = fields({ certificate: certificatePem, revocation: revocationChange.exactOptional() });
const changed = fields({ revocation: revocationChange });

type Within = z.infer<typeof within>;
type Params = z.infer<typeof params>;

/** The certificate authorities that an organisation trusts. */
export function authorityRoutes({
  registry,
  certificates,
  revocationLists,
  renewRevocation,
}: Services): readonly Route[] {
  const { authorities } = registry;
  return [
    route<Within, z.infer<typeof query>, unknown, Page<AuthorityDocument>>({
      method: 'GET',
      path: PATH,
      name: 'listAuthorities',
      tag: 'certificates',
      summary: 'The authorities whose client certificates the organisation takes',
      description:
        'The first page begins with the authorities of this server: that of the organisation, once it has one.',
      needs: 'reader',
      params: within,
      query,
      answer: { schema: pageAnswer(authorityAnswer) },
      run: async ({ params, query }) => {
        const page = pageOf(await authorities.list({ ...params, ...query }), authorityDocument);
        if (query.after !== undefined) return page;
        return { ...page, items: [...certificates.builtIn(params.organisation).map(builtInAuthority), ...page.items] };
      },
    }),
    route<Within, unknown, z.infer<typeof added>, AuthorityDocument>({
      method: 'POST',
      path: PATH,
      name: 'addAuthority',
      tag: 'certificates',
      summary: 'Trust an authority of your own',
      description: 'It is checked first: CA flag, key usage, dates and strength. Clients may use it at once.',
      needs: 'administrator',
      params: within,
      body: added,
      answer: { status: 201, schema: authorityAnswer },
      problems: [409],
      run: async ({ params, body, by }) =>
        authorityDocument(await certificates.addAuthority({ ...params, ...body, by })),
    }),
    route<Params, unknown, unknown, AuthorityDocument>({
      method: 'GET',
      path: `${PATH}/:authority`,
      name: 'getAuthority',
      tag: 'certificates',
      summary: 'One authority with its certificate',
      needs: 'reader',
      params,
      answer: { schema: authorityAnswer },
      run: async ({ params: { organisation, authority } }) => {
        await registry.organisations.get(organisation);
        const own = certificates
          .builtIn(organisation)
          .find(({ certificate }) => certificate.fingerprintSha256 === authority);
        if (own) return builtInAuthority(own);
        const document = authorityDocument(await authorities.get({ organisation, fingerprint: authority }));
        return { ...document, lists: revocationLists(authority) };
      },
    }),
    route<Params, unknown, z.infer<typeof changed>, AuthorityDocument>({
      method: 'PATCH',
      path: `${PATH}/:authority`,
      name: 'updateAuthority',
      tag: 'certificates',
      summary: 'Change how revocation is looked at below an authority of your own',
      description: 'What is left out stays; `null` ends a URL. It holds from the next connection on.',
      needs: 'administrator',
      params,
      body: changed,
      answer: { schema: authorityAnswer },
      run: async ({ params: { organisation, authority }, body, by }) =>
        authorityDocument(await authorities.update({ organisation, fingerprint: authority, ...body, by })),
    }),
    route<Params, unknown, unknown, AuthorityDocument>({
      method: 'POST',
      path: `${PATH}/:authority/revocation-news`,
      name: 'fetchRevocationNews',
      tag: 'certificates',
      summary: 'Fetch the revocation lists of an authority of your own now, and ask its responders',
      description: 'It happens by itself; ask for it when something was revoked there that must not wait.',
      needs: 'operator',
      params,
      answer: { schema: authorityAnswer },
      run: async ({ params: { organisation, authority } }) => {
        const found = await authorities.get({ organisation, fingerprint: authority });
        await renewRevocation(authority);
        return { ...authorityDocument(found), lists: revocationLists(authority) };
      },
    }),
    route<Params>({
      method: 'DELETE',
      path: `${PATH}/:authority`,
      name: 'removeAuthority',
      tag: 'certificates',
      summary: 'Trust an authority no more',
      description: 'Sessions that lean on it end at once. The authorities of this server cannot be removed.',
      needs: 'administrator',
      params,
      run: ({ params: { organisation, authority }, by }) =>
        authorities.remove({ organisation, fingerprint: authority, by }),
    }),
  ];
}
