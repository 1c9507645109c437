import type { IssuerDocument, IssuerSettings, Page } from '@sallyport/model';
import { z } from 'zod';
import { TOKEN_ALGORITHMS } from '../../authentication/signing-keys.ts';
import { at, pageAnswer } from '../answers.ts';
import type { Services } from '../api-options.ts';
import { issuerDocument, pageOf } from '../documents.ts';
import { checkIssuer, ISSUER_DEFAULTS, MOST_CACHE, MOST_LIFE, MOST_SKEW } from '../issuer-desk.ts';
import { fields, type Route, route } from '../route.ts';
import { applicationId, organisationId, pageQuery } from '../schemas.ts';

const PATH = '/organisations/:organisation/issuers';
const within = fields({ organisation: organisationId });
const params = fields({ organisation: organisationId, issuer: applicationId });
const query = fields(pageQuery);

const line = (most: number) =>
  z
    .string()
    .min(1)
    .max(most)
    .regex(/^[\x21-\x7e]+$/, 'has spaces or characters beyond ASCII');
const introspection = z
  .strictObject({
    url: line(2048).describe('Introspection endpoint.'),
    clientId: line(256).describe('Client id of this server there.'),
    secretFile: line(64).exactOptional().describe('File of the folder `secrets` with the client secret.'),
    keyFile: line(64).exactOptional().describe('File of the folder `secrets` with a private key in PEM.'),
    cache: z.int().min(1).max(MOST_CACHE).default(30).describe('Seconds for which an answer holds at most.'),
  })
  .describe('How the issuer is asked about its tokens (RFC 7662).');
const settings = {
  issuer: line(512).describe('Exactly the claim `iss` of its tokens.'),
  audience: line(512).describe('One of the audiences of its tokens.'),
  tokens: z.enum(['signed', 'opaque']).describe('Whether its tokens are JWTs, or say nothing by themselves.'),
  jwksUrl: line(2048).describe('Where its public keys are fetched; https.'),
  keys: z.string().max(65_536).describe('Its public keys: a JWK set, or one key in PEM.'),
  algorithms: z
    .array(z.enum(TOKEN_ALGORITHMS))
    .min(1)
    .max(TOKEN_ALGORITHMS.length)
    .describe('How its tokens may be signed.'),
  typ: line(64).describe('`typ` of its tokens; `any`: it is not looked at, and fewer claims are demanded.'),
  clockSkew: z.int().min(0).max(MOST_SKEW).describe('Seconds by which clocks may differ.'),
  longestLife: z.int().min(1).max(MOST_LIFE).describe('Seconds that a token may live.'),
  principal: z.string().min(1).max(256).describe('Whom a token names, for example `application:{client_id}`.'),
  grants: z.enum(['required', 'optional']).describe('Whether a token must say what it grants.'),
  requireBound: z.boolean().describe('Whether only tokens count that are bound to a client certificate.'),
};
const added = fields({
  id: applicationId,
  issuer: settings.issuer,
  audience: settings.audience,
  tokens: settings.tokens.default(ISSUER_DEFAULTS.tokens),
  jwksUrl: settings.jwksUrl.exactOptional(),
  keys: settings.keys.exactOptional(),
  algorithms: settings.algorithms.default([...ISSUER_DEFAULTS.algorithms]),
  typ: settings.typ.default(ISSUER_DEFAULTS.typ),
  clockSkew: settings.clockSkew.default(ISSUER_DEFAULTS.clockSkew),
  longestLife: settings.longestLife.default(ISSUER_DEFAULTS.longestLife),
  principal: settings.principal.default(ISSUER_DEFAULTS.principal),
  grants: settings.grants.default(ISSUER_DEFAULTS.grants),
  requireBound: settings.requireBound.default(ISSUER_DEFAULTS.requireBound),
  introspection: introspection.exactOptional(),
});
const changed = fields({
  issuer: settings.issuer.exactOptional(),
  audience: settings.audience.exactOptional(),
  jwksUrl: settings.jwksUrl.nullable().exactOptional(),
  keys: settings.keys.nullable().exactOptional(),
  algorithms: settings.algorithms.exactOptional(),
  typ: settings.typ.exactOptional(),
  clockSkew: settings.clockSkew.exactOptional(),
  longestLife: settings.longestLife.exactOptional(),
  principal: settings.principal.exactOptional(),
  grants: settings.grants.exactOptional(),
  requireBound: settings.requireBound.exactOptional(),
  introspection: introspection.nullable().exactOptional(),
});
const answer: z.ZodType<IssuerDocument> = z
  .object({
    organisation: z.string(),
    id: z.string(),
    version: z.number(),
    issuer: z.string(),
    audience: z.string(),
    tokens: settings.tokens,
    jwksUrl: z.string().exactOptional(),
    keys: z.string().exactOptional(),
    algorithms: z.array(z.string()),
    typ: z.string(),
    clockSkew: z.number(),
    longestLife: z.number(),
    principal: z.string(),
    grants: settings.grants,
    requireBound: z.boolean(),
    introspection: z
      .object({
        url: z.string(),
        clientId: z.string(),
        secretFile: z.string().exactOptional(),
        keyFile: z.string().exactOptional(),
        cache: z.number(),
      })
      .exactOptional(),
    createdAt: at,
    createdBy: z.string(),
  })
  .meta({ id: 'Issuer' });

type Within = z.infer<typeof within>;
type Params = z.infer<typeof params>;
type Changed = z.infer<typeof changed>;

/** The authorization servers whose access tokens an organisation takes. */
export function issuerRoutes({ registry: { issuers } }: Services): readonly Route[] {
  return [
    route<Within, z.infer<typeof query>, unknown, Page<IssuerDocument>>({
      method: 'GET',
      path: PATH,
      name: 'listIssuers',
      tag: 'issuers',
      summary: 'The authorization servers whose access tokens the organisation takes',
      needs: 'reader',
      params: within,
      query,
      answer: { schema: pageAnswer(answer) },
      run: async ({ params, query }) => pageOf(await issuers.list({ ...params, ...query }), issuerDocument),
    }),
    route<Within, unknown, z.infer<typeof added>, IssuerDocument>({
      method: 'POST',
      path: PATH,
      name: 'addIssuer',
      tag: 'issuers',
      summary: 'Take the access tokens of an authorization server',
      needs: 'administrator',
      params: within,
      body: added,
      answer: { status: 201, schema: answer },
      problems: [409],
      run: async ({ params: { organisation }, body: { id, ...given }, by }) =>
        issuerDocument(await issuers.add({ organisation, id, settings: checkIssuer(given), by })),
    }),
    route<Params, unknown, unknown, IssuerDocument>({
      method: 'GET',
      path: `${PATH}/:issuer`,
      name: 'getIssuer',
      tag: 'issuers',
      summary: 'One authorization server with its settings',
      needs: 'reader',
      params,
      answer: { schema: answer },
      run: async ({ params: { organisation, issuer: id } }) => issuerDocument(await issuers.get({ organisation, id })),
    }),
    route<Params, unknown, Changed, IssuerDocument>({
      method: 'PATCH',
      path: `${PATH}/:issuer`,
      name: 'updateIssuer',
      tag: 'issuers',
      summary: 'Change the settings of an authorization server',
      description: 'Sessions that stand on its tokens end, and may come back; null takes a setting away.',
      needs: 'administrator',
      params,
      body: changed,
      answer: { schema: answer },
      problems: [409],
      run: async ({ params: { organisation, issuer: id }, body, by }) => {
        const {
          organisation: _,
          id: __,
          version: ___,
          createdAt: ____,
          createdBy: _____,
          ...before
        } = await issuers.get({
          organisation,
          id,
        });
        return issuerDocument(await issuers.set({ organisation, id, settings: checkIssuer(merged(before, body)), by }));
      },
    }),
    route<Params>({
      method: 'DELETE',
      path: `${PATH}/:issuer`,
      name: 'removeIssuer',
      tag: 'issuers',
      summary: 'Take the access tokens of an authorization server no more',
      description: 'Sessions that stand on them end at once.',
      needs: 'administrator',
      params,
      run: ({ params: { organisation, issuer: id }, by }) => issuers.remove({ organisation, id, by }),
    }),
  ];
}

/** Null takes a setting away; what is not named stays. */
function merged(before: IssuerSettings, changes: Changed): IssuerSettings {
  const entries = Object.entries({ ...before, ...changes }).filter(
    ([, value]) => value !== null && value !== undefined,
  );
  return Object.fromEntries(entries) as unknown as IssuerSettings;
}
