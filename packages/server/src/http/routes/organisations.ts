import type { OrganisationDocument, Page } from '@sallyport/model';
import type { z } from 'zod';
import { organisationAnswer, pageAnswer } from '../answers.ts';
import type { Services } from '../api-options.ts';
import { organisationDocument, pageOf } from '../documents.ts';
import { fields, type Route, route } from '../route.ts';
import { name, organisationId, pageQuery, security } from '../schemas.ts';

const params = fields({ organisation: organisationId });
const query = fields(pageQuery);
const created = fields({ id: organisationId, name: name.exactOptional(), security: security.exactOptional() });
const changed = fields({ name: name.exactOptional(), security: security.exactOptional() });
const one = { tag: 'organisations', params, answer: { schema: organisationAnswer } } as const;

type Params = z.infer<typeof params>;

/** Tenants, by administrators. */
export function organisationRoutes({ registry: { organisations } }: Services): readonly Route[] {
  return [
    route<unknown, z.infer<typeof query>, unknown, Page<OrganisationDocument>>({
      method: 'GET',
      path: '/organisations',
      name: 'listOrganisations',
      tag: 'organisations',
      summary: 'All organisations',
      needs: 'reader',
      query,
      answer: { schema: pageAnswer(organisationAnswer) },
      run: async ({ query }) => pageOf(await organisations.list(query), organisationDocument),
    }),
    route<unknown, unknown, z.infer<typeof created>, OrganisationDocument>({
      method: 'POST',
      path: '/organisations',
      name: 'createOrganisation',
      tag: 'organisations',
      summary: 'Found an organisation',
      needs: 'administrator',
      body: created,
      answer: { status: 201, schema: organisationAnswer },
      problems: [409],
      run: async ({ body, by }) => organisationDocument(await organisations.create({ ...body, by })),
    }),
    route<Params, unknown, unknown, OrganisationDocument>({
      ...one,
      method: 'GET',
      path: '/organisations/:organisation',
      name: 'getOrganisation',
      summary: 'One organisation',
      needs: 'reader',
      run: async ({ params }) => organisationDocument(await organisations.get(params.organisation)),
    }),
    route<Params, unknown, z.infer<typeof changed>, OrganisationDocument>({
      ...one,
      method: 'PATCH',
      path: '/organisations/:organisation',
      name: 'updateOrganisation',
      summary: 'Change its name or its connection security',
      needs: 'administrator',
      body: changed,
      run: async ({ params, body, by }) =>
        organisationDocument(await organisations.update({ ...body, id: params.organisation, by })),
    }),
    route<Params>({
      method: 'DELETE',
      path: '/organisations/:organisation',
      name: 'removeOrganisation',
      tag: 'organisations',
      summary: 'Remove an empty organisation',
      needs: 'administrator',
      params,
      problems: [409],
      run: ({ params, by }) => organisations.remove({ id: params.organisation, by }),
    }),
    route<Params, unknown, unknown, OrganisationDocument>({
      ...one,
      method: 'POST',
      path: '/organisations/:organisation/suspend',
      name: 'suspendOrganisation',
      summary: 'Let nothing of the organisation connect',
      needs: 'administrator',
      run: async ({ params, by }) => organisationDocument(await organisations.suspend({ id: params.organisation, by })),
    }),
    route<Params, unknown, unknown, OrganisationDocument>({
      ...one,
      method: 'POST',
      path: '/organisations/:organisation/resume',
      name: 'resumeOrganisation',
      summary: 'Undo a suspension',
      needs: 'administrator',
      run: async ({ params, by }) => organisationDocument(await organisations.resume({ id: params.organisation, by })),
    }),
  ];
}
