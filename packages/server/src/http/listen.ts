import type { Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { Failure } from '@sallyport/model';
import type { FastifyInstance } from 'fastify';

/** Opens the HTTPS port and answers which it is. Throws `port_taken` or `address_unavailable`. */
export async function listenHttp(
  api: FastifyInstance<Server>,
  { address, port }: { readonly address: string; readonly port: number },
): Promise<number> {
  try {
    await api.listen({ host: address, port });
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === 'EADDRINUSE') {
      throw new Failure('port_taken', `HTTPS cannot listen on ${address} port ${port}: another program has it.`, {
        cause,
        cure: 'Stop the other program, or choose another port with --http-port.',
      });
    }
    if (code === 'EACCES' || code === 'EADDRNOTAVAIL') {
      throw new Failure(
        'address_unavailable',
        `HTTPS cannot listen on ${address} port ${port}: ${(cause as Error).message}`,
        { cause },
      );
    }
    throw cause;
  }
  return (api.server.address() as AddressInfo).port;
}
