import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import tls from 'node:tls';
import { Aedes, type AuthenticateError } from 'aedes';
import { type Identity, isPermitted } from '../identity.ts';

/** Main module of the process that aedes runs in: serves when it is told the settings, then answers its version. */
interface Settings {
  readonly identities: readonly Identity[];
  readonly port: number;
  readonly tlsPort: number;
  readonly keyFile: string;
  readonly certificateFile: string;
}

const digest = (text: string | Buffer) => createHash('sha256').update(text).digest();

process.once('message', (settings: Settings) => void serve(settings));
process.on('disconnect', () => process.exit(0));

async function serve({ identities, port, tlsPort, keyFile, certificateFile }: Settings): Promise<void> {
  const known = new Map(
    identities.map((identity) => [identity.username, { ...identity, hash: digest(identity.password) }]),
  );
  const broker = await Aedes.createBroker({
    authenticate(client, username, password, done) {
      const identity = known.get(username ?? '');
      const accepted =
        identity !== undefined &&
        password !== undefined &&
        client.id === identity.clientId &&
        timingSafeEqual(digest(password), identity.hash);
      const refusal: AuthenticateError = Object.assign(new Error('not authorized'), {
        returnCode: 5 as AuthenticateError['returnCode'],
      });
      done(accepted ? null : refusal, accepted);
    },
    authorizePublish(client, packet, done) {
      const identity = known.get(client?.id ?? '');
      const permitted = identity !== undefined && isPermitted(identity.role, identity.index, 'publish', packet.topic);
      done(permitted ? null : new Error('not authorized'));
    },
    authorizeSubscribe(client, subscription, done) {
      const identity = known.get(client.id);
      const permitted =
        identity !== undefined && isPermitted(identity.role, identity.index, 'read', subscription.topic);
      done(null, permitted ? subscription : null);
    },
    authorizeForward(client, packet) {
      const identity = known.get(client.id);
      return identity !== undefined && isPermitted(identity.role, identity.index, 'read', packet.topic) ? packet : null;
    },
  });
  const options = { key: readFileSync(keyFile), cert: readFileSync(certificateFile) };
  await Promise.all([
    new Promise<void>((resolve) =>
      net.createServer({ noDelay: true }, broker.handle).listen(port, '127.0.0.1', 4096, resolve),
    ),
    new Promise<void>((resolve) =>
      tls.createServer({ ...options, noDelay: true }, broker.handle).listen(tlsPort, '127.0.0.1', 4096, resolve),
    ),
  ]);
  process.send?.((broker as unknown as { readonly version: string }).version);
}
