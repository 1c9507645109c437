import {
  type AuthenticatorDocument,
  type Page,
  type PendingUnlockDocument,
  UNLOCK_CHANNELS,
  type UnlockCodeDocument,
} from '@sallyport/model';
import { z } from 'zod';
import { enrolmentOf } from '../../authentication/authenticator-app.ts';
import type { PendingUnlock } from '../../authentication/waiting-sessions.ts';
import { at, pageAnswer } from '../answers.ts';
import type { Services } from '../api-options.ts';
import { fields, type Route, route } from '../route.ts';
import { deviceId, organisationId, typeId } from '../schemas.ts';

const BASE = '/organisations/:organisation/unlocks';
const params = fields({ organisation: organisationId });
const withClient = fields({
  organisation: organisationId,
  clientId: z
    .string()
    .min(1)
    .max(512)
    .meta({ description: 'Percent-encoded.', examples: ['d:demo:pump:pump-7'] }),
});
const withDevice = fields({ organisation: organisationId, type: typeId, device: deviceId });
const text = z.string();

const pendingAnswer: z.ZodType<PendingUnlockDocument> = z
  .object({
    organisation: text,
    clientId: text,
    principal: text,
    address: text,
    since: at,
    channels: z.array(z.enum(UNLOCK_CHANNELS)),
    attemptsLeft: z.number(),
    requestedAt: at.exactOptional(),
    codeExpiresAt: at.exactOptional(),
  })
  .meta({ id: 'PendingUnlock' });
const codeAnswer: z.ZodType<UnlockCodeDocument> = z
  .object({ principal: text, clientId: text, code: text.describe('Shown this once.'), expiresAt: at })
  .meta({ id: 'UnlockCode' });
const authenticatorAnswer: z.ZodType<AuthenticatorDocument> = z
  .object({
    principal: text,
    uri: text.describe('What the QR code of an authenticator app holds; shown this once.'),
    secret: text.describe('The same for typing in: base 32; shown this once.'),
  })
  .meta({ id: 'Authenticator' });

/** One-time codes: who waits for one, codes that operators tell, and authenticator apps. */
export function unlockRoutes({ registry, unlocks }: Services): readonly Route[] {
  return [
    route<z.infer<typeof params>, unknown, unknown, Page<PendingUnlockDocument>>({
      method: 'GET',
      path: BASE,
      name: 'listUnlocks',
      tag: 'unlocks',
      summary: 'The sessions that wait for a one-time code',
      needs: 'reader',
      params,
      answer: { schema: pageAnswer(pendingAnswer) },
      run: async ({ params: { organisation } }) => {
        await registry.organisations.get(organisation);
        return { items: unlocks.list(organisation).map(pendingDocument) };
      },
    }),
    route<z.infer<typeof withClient>, unknown, unknown, UnlockCodeDocument>({
      method: 'POST',
      path: `${BASE}/:clientId/code`,
      name: 'makeUnlockCode',
      tag: 'unlocks',
      summary: 'Make a code, to be told to the person at the device',
      description: 'The code before is void. Only for device types with the channel `console`.',
      needs: 'operator',
      params: withClient,
      answer: { status: 201, schema: codeAnswer },
      secret: true,
      run: async ({ params: { organisation, clientId }, by }) => {
        const { principal, code, expiresAt } = await unlocks.makeCode(organisation, clientId, by);
        return { principal, clientId, code, expiresAt: new Date(expiresAt).toISOString() };
      },
    }),
    route<z.infer<typeof withDevice>, unknown, unknown, AuthenticatorDocument>({
      method: 'POST',
      path: '/organisations/:organisation/types/:type/devices/:device/authenticator',
      name: 'createAuthenticator',
      tag: 'unlocks',
      summary: 'Make the secret of an authenticator app for the owner of a device',
      description: 'It is in this answer and nowhere else; the one before is worth nothing any more.',
      needs: 'operator',
      params: withDevice,
      answer: { status: 201, schema: authenticatorAnswer },
      secret: true,
      run: async ({ params: { organisation, type, device }, by }) => {
        const { principal, secret } = await registry.authenticators.create({ organisation, type, id: device, by });
        return { principal, ...enrolmentOf(secret, principal) };
      },
    }),
    route<z.infer<typeof withDevice>>({
      method: 'DELETE',
      path: '/organisations/:organisation/types/:type/devices/:device/authenticator',
      name: 'removeAuthenticator',
      tag: 'unlocks',
      summary: 'Take no codes of its authenticator app any more',
      needs: 'operator',
      params: withDevice,
      run: ({ params: { organisation, type, device }, by }) =>
        registry.authenticators.remove({ organisation, type, id: device, by }),
    }),
  ];
}

function pendingDocument({
  session,
  since,
  requestedAt,
  codeExpiresAt,
  ...rest
}: PendingUnlock): PendingUnlockDocument {
  const { organisation, clientId, principal, address } = session;
  return {
    organisation,
    clientId,
    principal,
    address,
    since: new Date(since).toISOString(),
    ...rest,
    ...(requestedAt !== undefined && { requestedAt: new Date(requestedAt).toISOString() }),
    ...(codeExpiresAt !== undefined && { codeExpiresAt: new Date(codeExpiresAt).toISOString() }),
  };
}
