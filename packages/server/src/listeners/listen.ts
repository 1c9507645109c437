import type { AddressInfo, Server } from 'node:net';
import { Failure } from '@sallyport/model';

export interface ListenOptions {
  /** Name of the listener, for the message. */
  readonly name: string;
  readonly address: string;
  readonly port: number;
  /** What changes the port, for the cure. */
  readonly portSetting: string;
}

/** Opens the port. A port or address that cannot be had is a `port_taken` or `address_unavailable` failure. */
export async function listen(
  server: Server,
  { name, address, port, portSetting }: ListenOptions,
): Promise<AddressInfo> {
  await new Promise<void>((resolve, reject) => {
    const onError = (cause: NodeJS.ErrnoException): void => reject(explained(cause));
    server.once('error', onError);
    server.listen({ host: address, port, backlog: 1024 }, () => {
      server.off('error', onError);
      resolve();
    });
  });
  return server.address() as AddressInfo;

  function explained(cause: NodeJS.ErrnoException): Error {
    const what = `The listener ${name} cannot listen on ${address} port ${port}`;
    switch (cause.code) {
      case 'EADDRINUSE':
        return new Failure('port_taken', `${what}: another program has it.`, {
          cause,
          cure: `Stop the other program, or choose another port with ${portSetting}.`,
        });
      case 'EACCES':
        return new Failure('address_unavailable', `${what}: ports below 1024 need more rights.`, {
          cause,
          cure: `Choose a port above 1023 with ${portSetting}, or give the process the right to open low ports.`,
        });
      case 'EADDRNOTAVAIL':
      case 'ENOTFOUND':
      case 'EAFNOSUPPORT':
        return new Failure('address_unavailable', `${what}: the address does not belong to this machine.`, { cause });
      default:
        return cause;
    }
  }
}

/** Closes the port at once. Connections that were handed over do not hold it up. */
export async function stopListening(server: Server): Promise<void> {
  if (!server.listening) return;
  // The callback would wait for the last connection; the port itself is free when the loop has turned.
  server.close();
  await new Promise<void>((resolve) => setImmediate(resolve));
}
