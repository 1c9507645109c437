import {
  type CredentialDocument,
  Failure,
  type IssuedCredential,
  type OperatorRole,
  type Page,
  principalName,
} from '@sallyport/model';
import { z } from 'zod';
import { credentialAnswer, issuedAnswer, pageAnswer } from '../answers.ts';
import type { Services } from '../api-options.ts';
import { credentialDocument, devicePrincipal } from '../documents.ts';
import { fields, type Route, route } from '../route.ts';
import {
  applicationId,
  chosenToken,
  deviceId,
  expiresIn,
  expiry,
  operatorId,
  organisationId,
  typeId,
  withPassword,
} from '../schemas.ts';

const credentialId = z.string().min(1).max(64).describe('Id of a credential.');
const issue = fields({
  token: chosenToken.exactOptional(),
  expiresIn: expiresIn.exactOptional(),
  password: withPassword.exactOptional(),
}).refine(
  (body) => !(body.token !== undefined && body.password),
  'token and password are two credentials: send two requests',
);
const issueToOperator = fields({ expiresIn: expiresIn.exactOptional() });

interface Holder<P> {
  /** Ends the names of the routes: `issueDeviceCredential`. */
  readonly noun: string;
  readonly path: string;
  readonly needs: OperatorRole;
  readonly shape: z.core.$ZodLooseShape;
  readonly body: z.ZodType<z.infer<typeof issue>>;
  /** Written form of the principal; fails with `not_found` if there is none. */
  principal(params: P): Promise<string>;
}

/** Credentials of devices, gateways, applications and operators: list, issue, revoke. */
export function credentialRoutes({ registry }: Services, now: () => number): readonly Route[] {
  const { devices, applications, operators } = registry;
  return [
    ...routesOf<{ organisation: string; type: string; device: string }>({
      noun: 'Device',
      path: '/organisations/:organisation/types/:type/devices/:device/credentials',
      needs: 'operator',
      shape: { organisation: organisationId, type: typeId, device: deviceId },
      body: issue,
      principal: async ({ organisation, type, device }) =>
        principalName(devicePrincipal(await devices.get({ organisation, type, id: device }))),
    }),
    ...routesOf<{ organisation: string; application: string }>({
      noun: 'Application',
      path: '/organisations/:organisation/applications/:application/credentials',
      needs: 'operator',
      shape: { organisation: organisationId, application: applicationId },
      body: issue,
      principal: async ({ organisation, application }) => {
        const { id } = await applications.get({ organisation, id: application });
        return principalName({ kind: 'application', organisation, id });
      },
    }),
    ...routesOf<{ operator: string }>({
      noun: 'Operator',
      path: '/operators/:operator/credentials',
      needs: 'administrator',
      shape: { operator: operatorId },
      body: issueToOperator,
      principal: async ({ operator }) => principalName({ kind: 'operator', id: (await operators.get(operator)).id }),
    }),
  ];

  function routesOf<P>({ noun, path, needs, shape, body, principal }: Holder<P>): readonly Route[] {
    const params = fields(shape) as unknown as z.ZodType<P>;
    const withId = fields({ ...shape, credential: credentialId }) as unknown as z.ZodType<P & { credential: string }>;
    return [
      route<P, unknown, unknown, Page<CredentialDocument>>({
        method: 'GET',
        path,
        name: `list${noun}Credentials`,
        tag: `${noun.toLowerCase()}s`,
        summary: 'Its credentials, newest first, the ended ones too',
        needs: 'reader',
        params,
        answer: { schema: pageAnswer(credentialAnswer) },
        run: async ({ params }) => ({
          items: (await registry.credentials.list(await principal(params))).map(credentialDocument),
        }),
      }),
      route<P, unknown, z.infer<typeof issue>, IssuedCredential>({
        method: 'POST',
        path,
        name: `issue${noun}Credential`,
        tag: `${noun.toLowerCase()}s`,
        summary: 'Issue a credential',
        description: 'The ones before stay valid until they are revoked. A token is in this answer and nowhere else.',
        needs,
        params,
        body,
        answer: { status: 201, schema: issuedAnswer },
        problems: [409],
        secret: true,
        run: async ({ params, body: { token, password, expiresIn }, by }) => {
          const common = { principal: await principal(params), ...expiry(expiresIn, now()), by };
          if (password) {
            return {
              credential: credentialDocument(await registry.credentials.createPassword({ ...common, ...password })),
            };
          }
          const issued = await registry.credentials.createToken({ ...common, ...(token !== undefined && { token }) });
          return { credential: credentialDocument(issued.record), token: issued.token };
        },
      }),
      route<P & { credential: string }, unknown, unknown, CredentialDocument>({
        method: 'DELETE',
        path: `${path}/:credential`,
        name: `revoke${noun}Credential`,
        tag: `${noun.toLowerCase()}s`,
        summary: 'Revoke a credential',
        description:
          'Sessions that stand on it end at once. It stays in the list, so that a refusal can say when it was revoked.',
        needs,
        params: withId,
        answer: { schema: credentialAnswer },
        problems: [409],
        run: async ({ params, by }) => {
          const owner = await principal(params);
          const found = await registry.credentials.get(params.credential);
          // An operator who may revoke devices' credentials must not reach an operator's by its id.
          if (found.principal !== owner) {
            throw new Failure('not_found', `${owner} has no credential ${params.credential}.`);
          }
          return credentialDocument(await registry.credentials.revoke({ id: params.credential, by }));
        },
      }),
    ];
  }
}
