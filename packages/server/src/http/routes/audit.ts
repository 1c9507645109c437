import type { AuditDocument, Page } from '@sallyport/model';
import { z } from 'zod';
import { at, pageAnswer } from '../answers.ts';
import type { Services } from '../api-options.ts';
import { pageOf } from '../documents.ts';
import { fields, type Route, route } from '../route.ts';
import { moment, organisationId, pageQuery, principalText } from '../schemas.ts';

const filter = fields({
  ...pageQuery,
  type: z
    .string()
    .regex(/^[a-z_.-]{1,64}\*?$/, 'is not a type of event')
    .meta({ description: 'A type, or the beginning of one with `*`.', examples: ['session.*'] })
    .exactOptional(),
  organisation: organisationId.exactOptional(),
  principal: principalText.exactOptional(),
  by: z.string().max(256).describe('Written form of an operator, or `system`.').exactOptional(),
  ticket: z.string().max(16).describe('Ticket of a refusal.').exactOptional(),
  since: moment.exactOptional(),
  until: moment.exactOptional(),
  order: z.enum(['newest', 'oldest']).default('newest').describe('What comes first.'),
});
const text = z.string();
const auditAnswer: z.ZodType<AuditDocument> = z
  .object({
    sequence: z.number(),
    at,
    type: text,
    outcome: text.exactOptional(),
    by: text.exactOptional(),
    target: text.exactOptional(),
    organisation: text.exactOptional(),
    principal: text.exactOptional(),
    address: text.exactOptional(),
    ticket: text.exactOptional(),
    details: z.record(z.string(), z.unknown()).exactOptional(),
  })
  .meta({ id: 'AuditEvent' });

/** What has happened. */
export function auditRoutes({ trail }: Services): readonly Route[] {
  return [
    route<unknown, z.infer<typeof filter>, unknown, Page<AuditDocument>>({
      method: 'GET',
      path: '/audit',
      name: 'listAudit',
      tag: 'explanations',
      summary: 'What has happened: sessions, refusals, changes',
      description: 'All filters that are given must hold.',
      needs: 'reader',
      query: filter,
      answer: { schema: pageAnswer(auditAnswer) },
      run: async ({ query: { since, until, ...rest } }) => {
        const page = await trail.query({
          ...rest,
          ...(since !== undefined && { since: Date.parse(since) }),
          ...(until !== undefined && { until: Date.parse(until) }),
        });
        return pageOf(page, (row) => ({ ...row, at: new Date(row.at).toISOString() }));
      },
    }),
  ];
}
