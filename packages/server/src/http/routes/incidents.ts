import { INCIDENT_RULES, type IncidentDocument, type Page, RESPONSES } from '@sallyport/model';
import { z } from 'zod';
import { at, pageAnswer } from '../answers.ts';
import type { Services } from '../api-options.ts';
import { fields, type Route, route } from '../route.ts';
import { organisationId, pageQuery } from '../schemas.ts';

const text = z.string();
const params = fields({
  incident: z
    .string()
    .regex(/^[0-9a-f]{10}$/, 'is no id of an incident')
    .meta({ description: 'Id of an incident.', examples: ['3f2a9c0d81'] }),
});
const query = fields({
  ...pageQuery,
  organisation: organisationId.exactOptional(),
  state: z.enum(['open', 'contained', 'resolved']).describe('Only those in this state.').exactOptional(),
});
const contained = fields({
  response: z
    .enum(RESPONSES)
    .describe('What is done, from the mildest to the hardest; `deregister` cannot be taken back.'),
});
const incidentAnswer: z.ZodType<IncidentDocument> = z
  .object({
    id: text,
    rule: z.enum(INCIDENT_RULES),
    subject: text,
    organisation: text.exactOptional(),
    state: z.enum(['open', 'contained', 'resolved']),
    containment: z.enum(RESPONSES).exactOptional(),
    openedAt: at,
    lastAt: at,
    count: z.number(),
    timeline: z.array(z.object({ at, text, ticket: text.exactOptional() })),
  })
  .meta({ id: 'Incident' });
const one = { tag: 'incidents', params, answer: { schema: incidentAnswer } } as const;
type Params = z.infer<typeof params>;

/** Suspicions and what is done about them. */
export function incidentRoutes({ incidents }: Services): readonly Route[] {
  return [
    route<unknown, z.infer<typeof query>, unknown, Page<IncidentDocument>>({
      method: 'GET',
      path: '/incidents',
      name: 'listIncidents',
      tag: 'incidents',
      summary: 'Suspicions, newest first',
      needs: 'reader',
      query,
      answer: { schema: pageAnswer(incidentAnswer) },
      run: ({ query }) => incidents.list(query),
    }),
    route<Params, unknown, unknown, IncidentDocument>({
      ...one,
      method: 'GET',
      path: '/incidents/:incident',
      name: 'getIncident',
      summary: 'One incident with its timeline',
      needs: 'reader',
      run: ({ params: { incident } }) => incidents.get(incident),
    }),
    route<Params, unknown, z.infer<typeof contained>, IncidentDocument>({
      ...one,
      method: 'POST',
      path: '/incidents/:incident/contain',
      name: 'containIncident',
      summary: 'Contain the principal of an incident',
      description: 'Holds in live sessions at once, in place of what was done before.',
      needs: 'operator',
      body: contained,
      run: ({ params: { incident }, body: { response }, by }) => incidents.contain(incident, response, by),
    }),
    route<Params, unknown, unknown, IncidentDocument>({
      ...one,
      method: 'POST',
      path: '/incidents/:incident/release',
      name: 'releaseIncident',
      summary: 'Take back what was done',
      needs: 'operator',
      run: ({ params: { incident }, by }) => incidents.release(incident, by),
    }),
    route<Params, unknown, unknown, IncidentDocument>({
      ...one,
      method: 'POST',
      path: '/incidents/:incident/resolve',
      name: 'resolveIncident',
      summary: 'The suspicion is settled: take back what was done and close it',
      needs: 'operator',
      run: ({ params: { incident }, by }) => incidents.resolve(incident, by),
    }),
  ];
}
