import type { Health, OperatorDocument } from '@sallyport/model';
import { z } from 'zod';
import { operatorAnswer } from '../answers.ts';
import type { Services } from '../api-options.ts';
import { operatorDocument } from '../documents.ts';
import { type Route, route } from '../route.ts';

const healthAnswer: z.ZodType<Health> = z
  .object({ status: z.enum(['ok', 'failing']), parts: z.record(z.string(), z.enum(['ok', 'failing'])) })
  .meta({ id: 'Health', examples: [{ status: 'ok', parts: { registry: 'ok', listeners: 'ok' } }] });

/** How the server is, and who is asking. */
export function systemRoutes({ health, metricsText, registry }: Services): readonly Route[] {
  return [
    route<unknown, unknown, unknown, Health>({
      method: 'GET',
      path: '/health',
      name: 'health',
      tag: 'system',
      summary: 'Whether the server works, and which part does not',
      needs: 'nobody',
      answer: { schema: healthAnswer, otherwise: 503 },
      run: async ({ reply }) => {
        const answer = await health();
        if (answer.status !== 'ok') reply.code(503);
        return answer;
      },
    }),
    route<unknown, unknown, unknown, string>({
      method: 'GET',
      path: '/metrics',
      name: 'metrics',
      tag: 'system',
      summary: 'All meters in the text form of Prometheus',
      needs: 'reader',
      answer: { schema: z.string(), type: 'text/plain' },
      run: ({ reply }) => {
        reply.type('text/plain; version=0.0.4; charset=utf-8');
        return metricsText();
      },
    }),
    route<unknown, unknown, unknown, OperatorDocument>({
      method: 'GET',
      path: '/whoami',
      name: 'whoAmI',
      tag: 'system',
      summary: 'The operator whose token this is',
      needs: 'reader',
      answer: { schema: operatorAnswer },
      run: async ({ by }) => operatorDocument(await registry.operators.get(by.slice('operator:'.length))),
    }),
  ];
}
