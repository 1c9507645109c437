import type { ApplicationDocument, NewApplication, Page } from '@sallyport/model';
import { z } from 'zod';
import { applicationAnswer, credentialAnswer, pageAnswer, shownOnce } from '../answers.ts';
import type { Services } from '../api-options.ts';
import { applicationDocument, pageOf } from '../documents.ts';
import { registerApplication } from '../new-principal.ts';
import { fields, type Route, route } from '../route.ts';
import {
  applicationId,
  applicationRole,
  chosenToken,
  description,
  expiresIn,
  organisationId,
  pageQuery,
  withPassword,
} from '../schemas.ts';

const BASE = '/organisations/:organisation/applications';
const inOrganisation = fields({ organisation: organisationId });
const params = fields({ organisation: organisationId, application: applicationId });
const query = fields(pageQuery);
const created = fields({
  id: applicationId,
  key: z
    .string()
    .min(1)
    .max(128)
    .meta({ description: 'User name of CONNECT. Generated if left out.', examples: ['a-demo-x7k2m9q4pz'] })
    .exactOptional(),
  role: applicationRole.exactOptional(),
  description: description.exactOptional(),
  token: chosenToken.exactOptional(),
  expiresIn: expiresIn.exactOptional(),
  password: withPassword.exactOptional(),
});
const changed = fields({
  role: applicationRole.exactOptional(),
  description: description.nullable().exactOptional(),
});
const newApplication: z.ZodType<NewApplication> = z
  .object({ application: applicationAnswer, credentials: z.array(credentialAnswer), token: shownOnce })
  .meta({ id: 'NewApplication' });
const one = { tag: 'applications', params, answer: { schema: applicationAnswer } } as const;

type Within = z.infer<typeof inOrganisation>;
type Params = z.infer<typeof params>;

/** Applications of an organisation. */
export function applicationRoutes({ registry }: Services, now: () => number): readonly Route[] {
  const { applications } = registry;
  const named = ({ organisation, application }: Params) => ({ organisation, id: application });
  return [
    route<Within, z.infer<typeof query>, unknown, Page<ApplicationDocument>>({
      method: 'GET',
      path: BASE,
      name: 'listApplications',
      tag: 'applications',
      summary: 'The applications of an organisation',
      needs: 'reader',
      params: inOrganisation,
      query,
      answer: { schema: pageAnswer(applicationAnswer) },
      run: async ({ params, query }) => pageOf(await applications.list({ ...params, ...query }), applicationDocument),
    }),
    route<Within, unknown, z.infer<typeof created>, NewApplication>({
      method: 'POST',
      path: BASE,
      name: 'createApplication',
      tag: 'applications',
      summary: 'Register an application',
      description: 'The token is in this answer and nowhere else.',
      needs: 'operator',
      params: inOrganisation,
      body: created,
      answer: { status: 201, schema: newApplication },
      problems: [409],
      secret: true,
      run: ({ params, body, by }) => registerApplication(registry, params.organisation, body, by, now()),
    }),
    route<Params, unknown, unknown, ApplicationDocument>({
      ...one,
      method: 'GET',
      path: `${BASE}/:application`,
      name: 'getApplication',
      summary: 'One application',
      needs: 'reader',
      run: async ({ params }) => applicationDocument(await applications.get(named(params))),
    }),
    route<Params, unknown, z.infer<typeof changed>, ApplicationDocument>({
      ...one,
      method: 'PATCH',
      path: `${BASE}/:application`,
      name: 'updateApplication',
      summary: 'Change an application',
      description: 'What is left out stays, null clears.',
      needs: 'operator',
      body: changed,
      run: async ({ params, body, by }) =>
        applicationDocument(await applications.update({ ...body, ...named(params), by })),
    }),
    route<Params>({
      method: 'DELETE',
      path: `${BASE}/:application`,
      name: 'removeApplication',
      tag: 'applications',
      summary: 'Remove an application with its credentials',
      needs: 'operator',
      params,
      run: ({ params, by }) => applications.remove({ ...named(params), by }),
    }),
    route<Params, unknown, unknown, ApplicationDocument>({
      ...one,
      method: 'POST',
      path: `${BASE}/:application/suspend`,
      name: 'suspendApplication',
      summary: 'Let it connect no more, for a time',
      needs: 'operator',
      run: async ({ params, by }) => applicationDocument(await applications.suspend({ ...named(params), by })),
    }),
    route<Params, unknown, unknown, ApplicationDocument>({
      ...one,
      method: 'POST',
      path: `${BASE}/:application/resume`,
      name: 'resumeApplication',
      summary: 'Undo a suspension',
      needs: 'operator',
      run: async ({ params, by }) => applicationDocument(await applications.resume({ ...named(params), by })),
    }),
  ];
}
