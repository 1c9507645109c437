import { connect as connectTo, createServer, type TLSSocket } from 'node:tls';
import { createRootAuthority, generateKeyPair, issueServerCertificate, keyPairToPem } from '@sallyport/trust';
import { generate, type Packet, parser } from 'mqtt-packet';

export { connectTo };

/** A peer of the scripted server: what it sent, and a way to answer. */
export interface Peer {
  readonly packets: Packet[];
  send(packet: Packet): void;
  /** Writes bytes that need be no packet. */
  raw(bytes: Uint8Array): Peer;
  drop(): void;
}

/** What the server does with a packet. Nothing is answered but by the script. */
export type Script = (packet: Packet, peer: Peer, connection: number) => void;

/** A server over real TLS that answers as its script says, to meet what a correct server rarely does. */
export async function scriptedServer(script: Script) {
  const now = Date.now();
  const root = await createRootAuthority({ commonName: 'Test root', now, validity: 3_600_000 });
  const keys = await generateKeyPair();
  const { chainPem } = await issueServerCertificate({
    authority: root,
    publicKey: keys.publicKey,
    now,
    dnsNames: ['localhost'],
  });
  const sockets = new Set<TLSSocket>();
  let connections = 0;
  const server = createServer({ key: await keyPairToPem(keys), cert: chainPem }, (socket) => {
    sockets.add(socket);
    const connection = ++connections;
    const reader = parser({ protocolVersion: 5 });
    let protocolVersion = 5;
    const peer: Peer = {
      packets: [],
      send: (packet) => void socket.write(generate(packet, { protocolVersion })),
      raw(bytes) {
        socket.write(bytes);
        return peer;
      },
      drop: () => socket.destroy(),
    };
    reader.on('packet', (packet) => {
      if (packet.cmd === 'connect') protocolVersion = packet.protocolVersion ?? protocolVersion;
      peer.packets.push(packet);
      script(packet, peer, connection);
    });
    socket.on('data', (chunk) => reader.parse(chunk));
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    port: address.port,
    ca: root.pem,
    connections: () => connections,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
