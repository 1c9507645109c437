import {
  ALERT_CHANNELS,
  type AlertChannelDocument,
  type AlertTestDocument,
  Failure,
  SEVERITIES,
} from '@sallyport/model';
import { z } from 'zod';
import { at } from '../answers.ts';
import type { Services } from '../api-options.ts';
import { type Route, route } from '../route.ts';

const text = z.string();
const channel = z.enum(ALERT_CHANNELS);
const channelAnswer: z.ZodType<AlertChannelDocument> = z
  .object({
    channel,
    severity: z.enum(SEVERITIES),
    interval: z.number().describe('Milliseconds that lie between two letters at least.'),
    state: z.enum(['untried', 'ok', 'failing']),
    waiting: z.number(),
    deliveredAt: at.exactOptional(),
    problem: text.exactOptional(),
  })
  .meta({ id: 'AlertChannel' });
const testAnswer: z.ZodType<AlertTestDocument> = z
  .object({ channel, delivered: z.boolean(), problem: text.exactOptional() })
  .meta({ id: 'AlertTest' });

/** How incidents are told, and whether they can be. */
export function alertRoutes({ alerts }: Services): readonly Route[] {
  return [
    route<unknown, unknown, unknown, { items: readonly AlertChannelDocument[] }>({
      method: 'GET',
      path: '/alerts',
      name: 'listAlertChannels',
      tag: 'incidents',
      summary: 'Ways by which incidents are told, and how they stand',
      needs: 'reader',
      answer: { schema: z.object({ items: z.array(channelAnswer) }) },
      run: () => ({ items: alerts.describe() }),
    }),
    route<unknown, unknown, unknown, { items: readonly AlertTestDocument[] }>({
      method: 'POST',
      path: '/alerts/test',
      name: 'testAlerts',
      tag: 'incidents',
      summary: 'Send a test by every way, and see what became of it',
      needs: 'operator',
      answer: { schema: z.object({ items: z.array(testAnswer) }) },
      run: async () => {
        const items = await alerts.test();
        if (items.length > 0) return { items };
        throw new Failure('invalid_request', 'No way of telling incidents is configured.', {
          cure: 'See incidents.alerts in docs/reference/configuration.md.',
        });
      },
    }),
  ];
}
