import { Failure, type Page, type SessionDocument } from '@sallyport/model';
import { z } from 'zod';
import { pageAnswer, sessionAnswer } from '../answers.ts';
import type { Services } from '../api-options.ts';
import { fields, type Route, route } from '../route.ts';
import { organisationId, pageQuery } from '../schemas.ts';

const BASE = '/organisations/:organisation/sessions';
const params = fields({ organisation: organisationId });
const query = fields(pageQuery);
const withClient = fields({
  organisation: organisationId,
  clientId: z
    .string()
    .min(1)
    .max(512)
    .meta({ description: 'Percent-encoded.', examples: ['d:demo:pump:pump-7'] }),
});

/** The sessions of an organisation. */
export function sessionRoutes({ registry: { organisations }, sessions }: Services): readonly Route[] {
  return [
    route<z.infer<typeof params>, z.infer<typeof query>, unknown, Page<SessionDocument>>({
      method: 'GET',
      path: BASE,
      name: 'listSessions',
      tag: 'sessions',
      summary: 'The sessions of an organisation, by client id',
      needs: 'reader',
      params,
      query,
      answer: { schema: pageAnswer(sessionAnswer) },
      run: async ({ params: { organisation }, query }) => {
        await organisations.get(organisation);
        return sessions.list(organisation, query);
      },
    }),
    route<z.infer<typeof withClient>>({
      method: 'DELETE',
      path: `${BASE}/:clientId`,
      name: 'closeSession',
      tag: 'sessions',
      summary: 'End a session and its connection',
      description: 'It may connect again; suspend the principal or revoke its credential to prevent that.',
      needs: 'operator',
      params: withClient,
      run: async ({ params: { organisation, clientId }, by }) => {
        if (await sessions.close(organisation, clientId, by)) return;
        throw new Failure('not_found', `Organisation ${organisation} has no session with this client id.`);
      },
    }),
  ];
}
