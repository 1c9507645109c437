import type { ForecastCounts, SecurityForecast } from '@sallyport/model';
import { z } from 'zod';
import type { Services } from '../api-options.ts';
import { forecastLevel } from '../forecast-desk.ts';
import { fields, type Route, route } from '../route.ts';
import { organisationId, security, typeId } from '../schemas.ts';

const params = fields({ organisation: organisationId });
const body = fields({
  level: security,
  type: typeId
    .describe('Device type; the default of the organisation, for all to whom it applies, if left out.')
    .exactOptional(),
});
const counts: z.ZodType<ForecastCounts> = z
  .object({
    complies: z.int(),
    fails: z.int(),
    unknown: z.int(),
    rows: z.array(
      z.object({
        principal: z.string(),
        clientId: z.string().exactOptional(),
        outcome: z.enum(['complies', 'fails', 'unknown']),
        why: z.string(),
      }),
    ),
  })
  .meta({ id: 'ForecastCounts' });
const answer: z.ZodType<SecurityForecast> = z
  .object({
    organisation: z.string(),
    type: z.string().exactOptional(),
    level: security,
    principals: counts,
    sessions: counts,
    truncated: z.boolean(),
  })
  .meta({ id: 'SecurityForecast' });

/** What a connection-security level would change. */
export function securityRoutes({ registry, sessions }: Services, now: () => number): readonly Route[] {
  return [
    route<z.infer<typeof params>, unknown, z.infer<typeof body>, SecurityForecast>({
      method: 'POST',
      path: '/organisations/:organisation/security/predict',
      name: 'predictSecurity',
      tag: 'organisations',
      summary: 'Who would comply with a connection-security level, and which live sessions would end',
      description: 'Judged from what is on record; nothing is changed.',
      needs: 'reader',
      params,
      body,
      answer: { schema: answer },
      run: ({ params, body }) =>
        forecastLevel({ registry, listSessions: sessions.list.bind(sessions), now }, { ...params, ...body }),
    }),
  ];
}
