import type { BlockDocument, Page } from '@sallyport/model';
import { parseListEntry } from '@sallyport/policy';
import { z } from 'zod';
import { at, pageAnswer } from '../answers.ts';
import type { Services } from '../api-options.ts';
import { fields, type Route, route } from '../route.ts';
import { pageQuery } from '../schemas.ts';

const text = z.string();
const query = fields(pageQuery);
const release = fields({
  address: text
    .max(64)
    .refine((given) => isNetwork(given), 'is no IP address, nor a network as the list shows it')
    .describe('An address, or a network as the list shows it.')
    .exactOptional(),
  principal: text.max(256).describe('For whom it is blocked, as the list shows it.').exactOptional(),
  all: z.literal(true).describe('All blocks.').exactOptional(),
}).refine((body) => Object.keys(body).length > 0, 'names nothing; name an address, a principal, or all');
const blockAnswer: z.ZodType<BlockDocument> = z
  .object({ network: text, principal: text.exactOptional(), failures: z.number(), blocks: z.number(), until: at })
  .meta({ id: 'Block' });
const releasedAnswer: z.ZodType<{ readonly released: number }> = z
  .object({ released: z.number() })
  .meta({ id: 'ReleasedBlocks' });

function isNetwork(given: string): boolean {
  const read = parseListEntry(given);
  return read.ok && read.value.kind === 'range';
}

/** Addresses that have guessed too often. */
export function blockRoutes({ guesses, emit }: Services): readonly Route[] {
  return [
    route<unknown, z.infer<typeof query>, unknown, Page<BlockDocument>>({
      method: 'GET',
      path: '/server/blocks',
      name: 'listBlocks',
      tag: 'lists',
      summary: 'Addresses that have guessed too often and are blocked for a time',
      needs: 'reader',
      query,
      answer: { schema: pageAnswer(blockAnswer) },
      run: ({ query: { limit, after = '' } }) => {
        const blocks = guesses.list().map(({ claim, until, ...rest }) => ({
          ...rest,
          ...(claim === undefined ? {} : { principal: claim }),
          until: new Date(until).toISOString(),
        }));
        const named = blocks
          .map((block) => ({ block, key: `${block.network} ${'principal' in block ? block.principal : ''}` }))
          .filter(({ key }) => key > after)
          .sort((one, other) => (one.key < other.key ? -1 : 1));
        const next = named.length > limit ? named[limit - 1]?.key : undefined;
        const items = named.slice(0, limit).map(({ block }) => block);
        return { items, ...(next === undefined ? {} : { next }) };
      },
    }),
    route<unknown, unknown, z.infer<typeof release>, { readonly released: number }>({
      method: 'POST',
      path: '/server/blocks/release',
      name: 'releaseBlocks',
      tag: 'lists',
      summary: 'End blocks, and forget the wrong attempts behind them',
      needs: 'operator',
      body: release,
      answer: { schema: releasedAnswer },
      run: ({ body: { all: _, ...match }, by }) => {
        const released = guesses.release(match);
        emit({ type: 'guessing.released', by, ...match, released });
        return { released };
      },
    }),
  ];
}
