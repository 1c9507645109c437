import { connectRateGate } from './connect-rate.ts';
import type { HandshakeProblem } from './handshake-problem.ts';
import type { ListenerBounds } from './listener-options.ts';
import { isLoopback } from './socket-address.ts';

/** Why a newcomer is closed. */
export interface BoundMet {
  readonly problem: HandshakeProblem;
  readonly detail: string;
  readonly cure?: string | undefined;
}

/** Counts connections, and those of them whose handshake is not done, without an object for each. */
export interface ConnectionBounds {
  /** Counts a newcomer twice, unless it meets a bound. */
  admit(address: string): BoundMet | undefined;
  /** Its handshake has come to an end; to be called once for each. */
  settled(address: string): void;
  /** It is no connection any more; to be called once for each. */
  gone(): void;
}

/** No bound of their own for proxies on this machine, unless one was asked for. */
const PER_ADDRESS = 32;

/** Counts connections and unfinished handshakes of one listener by their address, before a byte is read from them. */
export function connectionBounds(options: ListenerBounds): ConnectionBounds {
  const { maximumConnections = 10_000, maximumHandshakes = 512, boundLoopback = false } = options;
  const { connectRate, connectRatePerAddress } = options;
  const now = () => performance.now();
  const tooFast = connectRateGate({ ...(connectRate && { connectRate }), now });
  const tooFastOfOne = connectRateGate({ ...(connectRatePerAddress && { connectRatePerAddress }), now });
  const perAddress = new Map<string, number>();
  let unfinished = 0;
  let connections = 0;

  const boundOf = (address: string): number =>
    options.maximumHandshakesPerAddress ??
    (isLoopback(address) && !boundLoopback ? Number.POSITIVE_INFINITY : PER_ADDRESS);

  function boundMet(address: string): BoundMet | undefined {
    const refused = options.refuseAddress?.(address);
    if (refused) return refused;
    if (connections >= maximumConnections) {
      return met('connection_limit', `The listener has ${maximumConnections} connections, which is its bound.`);
    }
    if (unfinished >= maximumHandshakes) {
      return met(
        'too_many_handshakes',
        `${maximumHandshakes} handshakes are unfinished, which is the bound of the listener.`,
      );
    }
    const bound = boundOf(address);
    if ((perAddress.get(address) ?? 0) >= bound) {
      return met(
        'too_many_handshakes',
        `${bound} handshakes of this address are unfinished, which is the bound for one address.`,
      );
    }
    if ((boundLoopback || !isLoopback(address)) && tooFastOfOne(address)) {
      return met(
        'connection_limit',
        `More than ${connectRatePerAddress} connections per second come from this address (limits.maximumConnectRatePerAddress).`,
      );
    }
    if (tooFast(address)) {
      return met(
        'connection_limit',
        `More than ${connectRate} connections per second come to the listener (limits.maximumConnectRate).`,
      );
    }
    return undefined;
  }

  return {
    admit(address) {
      const refused = boundMet(address);
      if (refused) return refused;
      connections++;
      unfinished++;
      perAddress.set(address, (perAddress.get(address) ?? 0) + 1);
      return undefined;
    },
    settled(address) {
      unfinished--;
      const left = (perAddress.get(address) ?? 1) - 1;
      if (left === 0) perAddress.delete(address);
      else perAddress.set(address, left);
    },
    gone() {
      connections--;
    },
  };
}

function met(problem: HandshakeProblem, detail: string): BoundMet {
  return { problem, detail };
}
