import { createSecureContext, type SecureContext, type TlsOptions } from 'node:tls';
import type { ServerCredentials } from '../authority/authority.ts';
import type { TlsVersion } from './listener-options.ts';
import { secureContextOptions } from './secure-settings.ts';

/** Chooses the certificate of a handshake by the server name that the client asks for. */
export interface NamedContexts {
  /** For the options of a TLS or HTTPS server. */
  readonly SNICallback: NonNullable<TlsOptions['SNICallback']>;
  /** What holds from the next handshake on. `prepare` is called with each context before it is used. */
  use(credentials: ServerCredentials, prepare?: (context: SecureContext) => void): void;
}

/** A context is made when it is first asked for and kept until the credentials change: there are never more than certificates. */
export function namedContexts(minimumTlsVersion: TlsVersion, first: ServerCredentials): NamedContexts {
  let credentials = first;
  let prepare: (context: SecureContext) => void = () => {};
  let made = new Map<string, SecureContext>();
  return {
    SNICallback(serverName, done) {
      const named = credentials.forName?.(serverName.toLowerCase());
      if (!named) return done(null);
      try {
        let context = made.get(named.id);
        if (!context) {
          const { key, cert } = named;
          context = createSecureContext(secureContextOptions({ ...credentials, key, cert }, minimumTlsVersion));
          prepare(context);
          made.set(named.id, context);
        }
        done(null, context);
      } catch (error) {
        // It ends this handshake; thrown, it would end the process.
        done(error as Error);
      }
    },
    use(renewed, prepareEach = () => {}) {
      credentials = renewed;
      prepare = prepareEach;
      made = new Map();
    },
  };
}
