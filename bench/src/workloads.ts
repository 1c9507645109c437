import type { Shape } from './generator/fleet.ts';
import type { Identity, Population } from './identity.ts';

export type Transport = 'plain' | 'TLS';

export interface MessageVariant {
  readonly name: string;
  readonly qos: 0 | 1;
  readonly window: number;
}

/** Clients that are connected once, and the variants that are run over them. */
export interface MessageWorkload {
  readonly shape: Shape;
  readonly transport: Transport;
  /** Only for peers that acknowledge a message after it is on disk. */
  readonly durable?: boolean;
  readonly variants: readonly MessageVariant[];
}

const SHAPES: Readonly<
  Record<Shape, { readonly title: string; readonly publishers: number; readonly subscribers: number }>
> = {
  'fan-in': { title: 'fan-in 100:1', publishers: 100, subscribers: 1 },
  pairs: { title: '200 pairs', publishers: 200, subscribers: 200 },
  'fan-out': { title: 'fan-out 1:500', publishers: 1, subscribers: 500 },
};

/** Every message workload; over TLS only when there is little time. */
export function messageWorkloads(quick: boolean): MessageWorkload[] {
  const transports: Transport[] = quick ? ['TLS'] : ['plain', 'TLS'];
  const usual = (Object.keys(SHAPES) as Shape[]).flatMap((shape) =>
    transports.map((transport) => ({
      shape,
      transport,
      variants: ([0, 1] as const).flatMap((qos) =>
        [1, 10].map((window) => ({
          name: `${SHAPES[shape].title}, QoS ${qos}, ${window} in flight, ${transport}`,
          qos,
          window,
        })),
      ),
    })),
  );
  return [...usual, ...DURABLE];
}

/** To sessions that are kept: PUBACK leaves when the message is on disk. */
const DURABLE: readonly MessageWorkload[] = (['fan-in', 'pairs'] as const).map((shape) => ({
  shape,
  transport: 'TLS',
  durable: true,
  variants: [{ name: `durable ${SHAPES[shape].title}, QoS 1, 50 in flight, TLS`, qos: 1, window: 50 }],
}));

/** Clients that every peer has to know. */
export function populationFor(quick: boolean): Population {
  return { pub: 200, sub: 200, crowd: quick ? 500 : 1600 };
}

/** The clients that take part in a workload. */
export function castOf(
  shape: Shape,
  identities: readonly Identity[],
): { publishers: Identity[]; subscribers: Identity[] } {
  const of = (role: Identity['role'], count: number) =>
    identities.filter((identity) => identity.role === role).slice(0, count);
  const { publishers, subscribers } = SHAPES[shape];
  return { publishers: of('pub', publishers), subscribers: of(shape === 'pairs' ? 'sub' : 'crowd', subscribers) };
}
