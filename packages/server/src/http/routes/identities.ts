import { Failure, type IdentityDocument, type Page } from '@sallyport/model';
import { z } from 'zod';
import { at, pageAnswer } from '../answers.ts';
import type { Services } from '../api-options.ts';
import { fields, type Route, route } from '../route.ts';
import { expiresIn, expiry, organisationId, pageQuery, principalText } from '../schemas.ts';

const PATH = '/organisations/:organisation/identities';
const within = fields({ organisation: organisationId });
const params = fields({
  organisation: organisationId,
  key: z
    .string()
    .regex(/^[A-Za-z0-9_-]{22}$/, 'is no id of a key')
    .describe('Id of a key: 22 characters.'),
});
const query = fields({ ...pageQuery, principal: principalText.exactOptional() });
const jwk = z.record(z.string().max(16), z.string().max(128)).describe('A public key as JWK.');
const text = z.string();
const added = fields({
  principal: principalText,
  signingKey: jwk.describe('Public JWK on Ed25519 or P-256.'),
  sealingKey: jwk
    .describe('Public JWK on X25519; without it nothing can be sealed for this principal.')
    .exactOptional(),
  expiresIn: expiresIn.describe('End of the keys, for example 365d, which is also the default.').exactOptional(),
  overlap: expiresIn
    .describe('Earlier keys of the principal end after this time. Left out, they stay as they are.')
    .exactOptional(),
});
const identityAnswer: z.ZodType<IdentityDocument> = z
  .object({
    keyId: text,
    principal: text,
    algorithm: z.enum(['EdDSA', 'ES256']),
    signingKey: z.record(text, text),
    sealingKey: z.record(text, text).exactOptional(),
    notBefore: at,
    notAfter: at,
    createdAt: at,
    createdBy: text,
    revokedAt: at.exactOptional(),
    revokedBy: text.exactOptional(),
    cose: text.describe('The statement of this platform as COSE_Sign1, Base64url.').exactOptional(),
    jws: text.describe('The statement of this platform as compact JWS.').exactOptional(),
  })
  .meta({ id: 'Identity' });

const YEAR = 365 * 86_400_000;

type Within = z.infer<typeof within>;
type Params = z.infer<typeof params>;

/** Public keys of applications and devices, with the platform's statement about each. */
export function identityRoutes({ registry, identities: desk }: Services, now: () => number): readonly Route[] {
  const { identities } = registry;
  const named = ({ organisation, key }: Params) => ({ organisation, keyId: key });
  return [
    route<Within, z.infer<typeof query>, unknown, Page<IdentityDocument>>({
      method: 'GET',
      path: PATH,
      name: 'listIdentities',
      tag: 'identities',
      summary: 'Keys of applications and devices, newest first, the ended ones too',
      needs: 'reader',
      params: within,
      query,
      answer: { schema: pageAnswer(identityAnswer) },
      run: async ({ params, query }) => {
        const { items, next } = await identities.list({ ...params, ...query });
        const documents = await Promise.all(items.map((record) => desk.document(record)));
        return next === undefined ? { items: documents } : { items: documents, next };
      },
    }),
    route<Within, unknown, z.infer<typeof added>, IdentityDocument>({
      method: 'POST',
      path: PATH,
      name: 'addIdentity',
      tag: 'identities',
      summary: 'Put public keys on record and have the platform state whose they are',
      description: 'Private keys stay where they were made.',
      needs: 'operator',
      params: within,
      body: added,
      answer: { status: 201, schema: identityAnswer },
      problems: [409],
      run: async ({ params: { organisation }, body, by }) => {
        const { overlap, expiresIn: life, principal, ...keys } = body;
        const { expiresAt: endEarlierAt } = expiry(overlap, now());
        const { expiresAt: notAfter = now() + YEAR } = expiry(life, now());
        const record = await desk.add({
          ...keys,
          principal: inOrganisation(principal, organisation),
          notAfter,
          ...(endEarlierAt === undefined ? {} : { endEarlierAt }),
          by,
        });
        return desk.document(record);
      },
    }),
    route<Params, unknown, unknown, IdentityDocument>({
      method: 'GET',
      path: `${PATH}/:key`,
      name: 'getIdentity',
      tag: 'identities',
      summary: 'One key, with the statement of this moment',
      needs: 'reader',
      params,
      answer: { schema: identityAnswer },
      run: async ({ params }) => desk.document(await identities.get(named(params))),
    }),
    route<Params, unknown, unknown, IdentityDocument>({
      method: 'DELETE',
      path: `${PATH}/:key`,
      name: 'revokeIdentity',
      tag: 'identities',
      summary: 'Revoke a key; the statements about the other keys of its principal say so from now on',
      needs: 'operator',
      params,
      answer: { schema: identityAnswer },
      run: async ({ params, by }) => desk.document(await identities.revoke({ ...named(params), by })),
    }),
  ];
}

/** A principal of another organisation is none here. */
function inOrganisation(principal: string, organisation: string): string {
  const [, rest = ''] = principal.split(':');
  if (rest.startsWith(`${organisation}/`)) return principal;
  throw new Failure('not_found', `${principal} is not of organisation "${organisation}".`);
}
