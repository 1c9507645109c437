import { z } from 'zod';
import type { KeyMeta } from './kinds.ts';

/** That of the office included, there are 64 at most. */
const MOST = 63;
const BOUNDS = `1 to ${MOST}, or auto`;

/** How many processes serve MQTT. */
export const WORKERS = z
  .union([z.int().min(1).max(MOST), z.literal('auto')])
  .prefault(1)
  .meta({
    description:
      'Processes that serve MQTT over TCP and TLS. With 1 everything is in one process; with more there is one for the rest besides them; `auto` is one for each core.',
    type: 'number',
    bounds: BOUNDS,
    default: '1',
    expected: `a whole number from ${BOUNDS}`,
  } satisfies KeyMeta);
