import {
  type AuthorizationServerDocument,
  type ClientKeyDocument,
  type DeviceRequestDocument,
  Failure,
  type Page,
  parsePrincipal,
  type RevokedTokenDocument,
} from '@sallyport/model';
import { z } from 'zod';
import type { AuthorizationServer } from '../../oauth/authorization-server.ts';
import { readClientKey } from '../../oauth/client-key.ts';
import type { DeviceRequest } from '../../oauth/device-approval.ts';
import type { Revocation } from '../../oauth/revoked-tokens.ts';
import type { ClientKey } from '../../registry/records.ts';
import { pageAnswer } from '../answers.ts';
import type { Services } from '../api-options.ts';
import { fields, type Route, route } from '../route.ts';
import { applicationId, organisationId, principalText } from '../schemas.ts';

const SERVER = '/organisations/:organisation/authorization-server';
const KEYS = '/organisations/:organisation/applications/:application/keys';
const within = fields({ organisation: organisationId });
const ofApplication = fields({ organisation: organisationId, application: applicationId });
const ofKey = fields({
  organisation: organisationId,
  application: applicationId,
  kid: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,64}$/, 'is no name of a key')
    .describe('Name (`kid`) of the key.'),
});
const ofRequest = fields({
  organisation: organisationId,
  userCode: z
    .string()
    .regex(/^[A-Za-z]{4}-?[A-Za-z]{4}$/, 'is no code of a device; it has eight letters')
    .meta({ description: 'The code that the device shows.', examples: ['BCDF-GHJK'] }),
});
const rotation = fields({
  atOnce: z
    .boolean()
    .describe('Withdraw the old keys at once; every token that they signed is worthless then.')
    .exactOptional(),
});
const added = fields({ publicKey: z.string().min(1).max(8192).describe('Public key in PEM: P-256 or Ed25519.') });
const ended = fields({
  jti: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,64}$/, 'is no id of a token')
    .describe('Id (`jti`) of one signed access token, as sessions and refusals show it.')
    .exactOptional(),
  principal: principalText.describe('Whose access and refresh tokens end, all of them.').exactOptional(),
}).refine(({ jti, principal }) => (jti === undefined) !== (principal === undefined), 'needs either jti or principal');
const decision = fields({ approve: z.boolean().describe('Whether the device may have what it asks for.') });

const text = z.string();
const serverAnswer: z.ZodType<AuthorizationServerDocument> = z
  .object({
    organisation: text,
    issuer: text,
    audience: text,
    approvalPage: text,
    keys: z.array(
      z.object({ kid: text, createdAt: text, signsFrom: text, state: z.enum(['next', 'signing', 'past']) }),
    ),
  })
  .meta({ id: 'AuthorizationServer' });
const keyAnswer: z.ZodType<ClientKeyDocument> = z
  .object({ principal: text, kid: text, algorithm: text, createdAt: text, createdBy: text })
  .meta({ id: 'ClientKey' });
const revokedAnswer: z.ZodType<RevokedTokenDocument> = z
  .object({
    what: z.enum(['token', 'approval', 'principal']),
    name: text,
    revokedAt: text,
    revokedBy: text,
    endsAt: text,
  })
  .meta({ id: 'RevokedToken' });
const requestAnswer: z.ZodType<DeviceRequestDocument> = z
  .object({
    userCode: text,
    principal: text,
    clientId: text,
    address: text,
    askedAt: text,
    endsAt: text,
    scopes: z.array(text),
  })
  .meta({ id: 'DeviceRequest' });

type Within = z.infer<typeof within>;
type OfApplication = z.infer<typeof ofApplication>;
type OfRequest = z.infer<typeof ofRequest>;

/** The embedded authorization server: its keys, those of its clients, and the devices that wait for their owner. */
export function oauthRoutes({ registry, oauth }: Services): readonly Route[] {
  const serving = async (organisation: string): Promise<AuthorizationServer> => {
    if (oauth && (await oauth.serves(organisation))) return oauth;
    throw new Failure('not_found', `Organisation "${organisation}" has no authorization server.`, {
      cure: 'Name it under authorizationServer.organisations of the configuration, and start the server again.',
    });
  };
  return [
    route<Within, unknown, unknown, AuthorizationServerDocument>({
      method: 'GET',
      path: SERVER,
      name: 'getAuthorizationServer',
      tag: 'authorization server',
      summary: 'Issuer and signing keys of the embedded authorization server',
      needs: 'reader',
      params: within,
      answer: { schema: serverAnswer },
      run: async ({ params: { organisation } }) => describe(await serving(organisation), organisation),
    }),
    route<Within, unknown, z.infer<typeof rotation>, AuthorizationServerDocument>({
      method: 'POST',
      path: `${SERVER}/keys`,
      name: 'rotateSigningKeys',
      tag: 'authorization server',
      summary: 'Have a new key sign access tokens',
      description: 'After the overlap of the configuration; at once only if the old key may be known to others.',
      needs: 'administrator',
      params: within,
      body: rotation,
      answer: { schema: serverAnswer },
      run: async ({ params: { organisation }, body: { atOnce = false }, by }) => {
        const server = await serving(organisation);
        await server.rotateKeys(organisation, { atOnce, by });
        return describe(server, organisation);
      },
    }),
    route<Within, unknown, unknown, Page<RevokedTokenDocument>>({
      method: 'GET',
      path: `${SERVER}/revoked-tokens`,
      name: 'listRevokedTokens',
      tag: 'authorization server',
      summary: 'Signed access tokens that were revoked and have not expired',
      needs: 'reader',
      params: within,
      answer: { schema: pageAnswer(revokedAnswer) },
      run: async ({ params: { organisation } }) => ({
        items: (await (await serving(organisation)).revocations(organisation)).map(revokedDocument),
      }),
    }),
    route<Within, unknown, z.infer<typeof ended>, RevokedTokenDocument>({
      method: 'POST',
      path: `${SERVER}/revoked-tokens`,
      name: 'revokeToken',
      tag: 'authorization server',
      summary: 'Revoke a signed access token, or all tokens of a principal',
      description: 'Sessions that stand on them end at once.',
      needs: 'operator',
      params: within,
      body: ended,
      answer: { status: 201, schema: revokedAnswer },
      run: async ({ params: { organisation }, body: { jti, principal }, by }) => {
        const server = await serving(organisation);
        if (jti !== undefined) return revokedDocument(await server.revokeToken(organisation, { jti, by }));
        const named = parsePrincipal(principal ?? '');
        if (!named.ok) throw new Failure('invalid_request', `principal: ${named.problem}.`);
        if (named.value.kind === 'operator' || named.value.organisation !== organisation) {
          throw new Failure('not_found', `Organisation "${organisation}" has no ${principal}.`);
        }
        return revokedDocument(await server.revokeAll(named.value, by));
      },
    }),
    route<OfApplication, unknown, unknown, Page<ClientKeyDocument>>({
      method: 'GET',
      path: KEYS,
      name: 'listClientKeys',
      tag: 'authorization server',
      summary: 'Public keys with which an application proves itself',
      needs: 'reader',
      params: ofApplication,
      answer: { schema: pageAnswer(keyAnswer) },
      run: async ({ params: { organisation, application } }) => {
        await registry.applications.get({ organisation, id: application });
        return { items: (await registry.clientKeys.list({ organisation, application })).map(keyDocument) };
      },
    }),
    route<OfApplication, unknown, z.infer<typeof added>, ClientKeyDocument>({
      method: 'POST',
      path: KEYS,
      name: 'addClientKey',
      tag: 'authorization server',
      summary: 'Let an application prove itself by a signature (private_key_jwt)',
      needs: 'operator',
      params: ofApplication,
      body: added,
      answer: { status: 201, schema: keyAnswer },
      problems: [409],
      run: async ({ params, body, by }) =>
        keyDocument(await registry.clientKeys.add({ ...params, jwk: await readClientKey(body.publicKey), by })),
    }),
    route<z.infer<typeof ofKey>>({
      method: 'DELETE',
      path: `${KEYS}/:kid`,
      name: 'removeClientKey',
      tag: 'authorization server',
      summary: 'Take a public key of an application away',
      needs: 'operator',
      params: ofKey,
      run: ({ params, by }) => registry.clientKeys.remove({ ...params, by }),
    }),
    route<OfRequest, unknown, unknown, DeviceRequestDocument>({
      method: 'GET',
      path: '/organisations/:organisation/device-requests/:userCode',
      name: 'getDeviceRequest',
      tag: 'authorization server',
      summary: 'What the device that shows this code asks for',
      needs: 'reader',
      params: ofRequest,
      answer: { schema: requestAnswer },
      run: async ({ params: { organisation, userCode } }) =>
        requestDocument(await (await serving(organisation)).findDeviceRequest(organisation, userCode)),
    }),
    route<OfRequest, unknown, z.infer<typeof decision>, DeviceRequestDocument>({
      method: 'POST',
      path: '/organisations/:organisation/device-requests/:userCode',
      name: 'decideDeviceRequest',
      tag: 'authorization server',
      summary: 'Approve or deny a device',
      needs: 'operator',
      params: ofRequest,
      body: decision,
      answer: { schema: requestAnswer },
      run: async ({ params: { organisation, userCode }, body: { approve: approved }, by }) => {
        const server = await serving(organisation);
        return requestDocument(await server.decideDeviceRequest(organisation, { userCode, approved, by }));
      },
    }),
  ];
}

async function describe(server: AuthorizationServer, organisation: string): Promise<AuthorizationServerDocument> {
  const { keys, active } = await server.keyRing(organisation);
  const issuer = server.issuerOf(organisation);
  return {
    organisation,
    issuer,
    audience: server.audienceOf(organisation),
    approvalPage: `${issuer}/device`,
    keys: keys.map(({ kid, createdAt, signsFrom }) => ({
      kid,
      createdAt: iso(createdAt),
      signsFrom: iso(signsFrom),
      state: kid === active.kid ? 'signing' : signsFrom > active.signsFrom ? 'next' : 'past',
    })),
  };
}

function keyDocument({ principal, kid, jwk, createdAt, createdBy }: ClientKey): ClientKeyDocument {
  return { principal, kid, algorithm: jwk.alg, createdAt: iso(createdAt), createdBy };
}

function revokedDocument({ kind: what, name, revokedAt, revokedBy, endsAt }: Revocation): RevokedTokenDocument {
  return { what, name, revokedAt: iso(revokedAt), revokedBy, endsAt: iso(endsAt) };
}

function requestDocument({ askedAt, endsAt, ...request }: DeviceRequest): DeviceRequestDocument {
  return { ...request, askedAt: iso(askedAt), endsAt: iso(endsAt) };
}

function iso(time: number): string {
  return new Date(time).toISOString();
}
