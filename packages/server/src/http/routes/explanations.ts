import { type Explanation, Failure, type Page, parsePrincipal, type Refusal } from '@sallyport/model';
import { z } from 'zod';
import { pageAnswer } from '../answers.ts';
import type { Services } from '../api-options.ts';
import { fields, type Route, route } from '../route.ts';
import { moment, organisationId, pageQuery, principalText } from '../schemas.ts';
import { actionAsked, explanationAnswer, refusalAnswer, transportAsked } from '../trace-answers.ts';

const LONGEST_TOPIC = 65_535;
const params = fields({
  ticket: z
    .string()
    .regex(/^[A-Za-z0-9]{6}$/, 'is not a ticket: six letters and digits')
    .meta({ description: 'Ticket of a refusal; case does not matter.', examples: ['7K2M9Q'] }),
});
const filter = fields({
  ...pageQuery,
  organisation: organisationId.exactOptional(),
  principal: principalText.exactOptional(),
  clientId: z.string().max(512).describe('Client id of the peer.').exactOptional(),
  address: z.string().max(64).describe('Address of the peer.').exactOptional(),
  since: moment.exactOptional(),
  until: moment.exactOptional(),
});
const question = fields({
  as: z
    .string()
    .max(256)
    .check((ctx) => {
      const read = parsePrincipal(ctx.value);
      if (!read.ok) ctx.issues.push({ code: 'custom', message: read.problem, input: ctx.value });
    })
    .meta({ description: 'Written form of the principal.', examples: ['device:demo/pump/pump-7'] }),
  action: actionAsked,
  resource: z
    .string()
    .max(LONGEST_TOPIC)
    .meta({ description: 'Topic name, topic filter or client id.', examples: ['iot-2/evt/status/fmt/json'] }),
  clientId: z.string().max(512).describe('Client id of the imagined session.').exactOptional(),
  transport: transportAsked.exactOptional(),
  grants: z
    .array(z.string().max(LONGEST_TOPIC))
    .max(256)
    .describe('What the token of the imagined session grants: publish:FILTER, subscribe:FILTER.')
    .exactOptional(),
  address: z.union([z.ipv4(), z.ipv6()]).describe('Address of the imagined peer.').exactOptional(),
});

/** Why something was refused, and what would happen. */
export function explanationRoutes({ refusals, explain }: Services): readonly Route[] {
  return [
    route<unknown, z.infer<typeof filter>, unknown, Page<Refusal>>({
      method: 'GET',
      path: '/refusals',
      name: 'listRefusals',
      tag: 'explanations',
      summary: 'What was refused lately, newest first',
      needs: 'reader',
      query: filter,
      answer: { schema: pageAnswer(refusalAnswer) },
      run: ({ query: { since, until, ...rest } }) =>
        refusals.list({
          ...rest,
          ...(since !== undefined && { since: Date.parse(since) }),
          ...(until !== undefined && { until: Date.parse(until) }),
        }),
    }),
    route<z.infer<typeof params>, unknown, unknown, Refusal>({
      method: 'GET',
      path: '/explain/:ticket',
      name: 'explainTicket',
      tag: 'explanations',
      summary: 'Why this was refused, step by step, and the cure',
      needs: 'reader',
      params,
      answer: { schema: refusalAnswer },
      run: async ({ params: { ticket } }) => {
        const found = await refusals.find(ticket);
        if (found) return found;
        throw new Failure('not_found', `No refusal has the ticket ${ticket}.`, {
          cure: 'Check the spelling; refusals are kept for 30 days, and fewer under a flood.',
        });
      },
    }),
    route<unknown, unknown, z.infer<typeof question>, Explanation>({
      method: 'POST',
      path: '/explain',
      name: 'explain',
      tag: 'explanations',
      summary: 'Ask whether a principal may do something',
      description: 'The same decision that a session meets, with its trace. Nothing is sent and nothing is changed.',
      needs: 'reader',
      body: question,
      answer: { schema: explanationAnswer },
      problems: [404],
      run: ({ body }) => explain(body),
    }),
  ];
}
