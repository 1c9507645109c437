import { Failure } from '@sallyport/model';
import type { MqttClient } from 'mqtt';
import type { ConnectProof, LinkProof } from './link-proof.ts';

const CONTINUE = 0x18;
const AUTHENTICATE_AGAIN = 0x19;
/** For a server that is not believed: the library then takes its yes for a no, and sends nothing more. */
const NOT_AUTHORIZED = 0x87;
/** Milliseconds for a server to say yes to a renewed proof. */
const PATIENCE = 30_000;

/** The packets of the library, as far as they concern an exchange. */
interface AuthPacket {
  readonly cmd: 'auth';
  readonly reasonCode: number;
  readonly properties?: { readonly authenticationMethod?: string; readonly authenticationData?: Buffer };
}

/** The AUTH packets of one connection (MQTT 5 section 4.12): challenges answered, servers judged, proofs renewed. */
export class ProofExchange {
  /** Why the server was not believed; it is then gone. */
  distrust: Failure | undefined;
  readonly #client: MqttClient;
  readonly #proof: LinkProof;
  readonly #where: string;
  #method: string | undefined;
  #renewing: { readonly resolve: () => void; readonly reject: (failure: Failure) => void } | undefined;

  constructor(client: MqttClient, proof: LinkProof, where: string, method: string | undefined) {
    this.#client = client;
    this.#proof = proof;
    this.#where = where;
    this.#method = method;
    client.handleAuth = (packet, callback) => void this.#received(packet as AuthPacket, callback);
    client.on('packetreceive', (packet) => {
      if (packet.cmd !== 'connack' || packet.reasonCode !== 0) return;
      const problem = this.#proof.judge?.(packet.properties?.authenticationData);
      if (problem === undefined) return;
      this.distrust = this.#unproven(problem);
      packet.reasonCode = NOT_AUTHORIZED;
    });
    client.on('close', () => {
      this.#renewing?.reject(new Failure('connection_lost', `The connection to ${where} broke.`));
      this.#renewing = undefined;
    });
  }

  /** True while the server has not answered a renewed proof. */
  get renewing(): boolean {
    return this.#renewing !== undefined;
  }

  /** True if a proof can be renewed without another connection. */
  get renewable(): boolean {
    return this.#method !== undefined;
  }

  /** What the next CONNECT carries was changed. */
  begin(method: string | undefined): void {
    this.#method = method;
    this.distrust = undefined;
  }

  /** Proves the client again in its session. Rejects with `connection_lost` if the server does not say yes. */
  async renew({ method = '', data }: ConnectProof): Promise<void> {
    let late: ReturnType<typeof setTimeout> | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        this.#renewing = { resolve, reject };
        late = setTimeout(() => {
          reject(new Failure('connection_lost', `${this.#where} does not answer a renewed proof.`));
          this.#client.stream.destroy();
        }, PATIENCE);
        this.#send(AUTHENTICATE_AGAIN, method, data);
      });
    } finally {
      clearTimeout(late);
      this.#renewing = undefined;
    }
  }

  async #received(packet: AuthPacket, callback: (error?: Error, answer?: AuthPacket) => void): Promise<void> {
    const { stream } = this.#client;
    const data = packet.properties?.authenticationData;
    try {
      if (packet.reasonCode === CONTINUE) {
        if (this.#proof.answer === undefined || data === undefined)
          throw this.#unproven('it asks for more than is given');
        const answer = await this.#proof.answer(data);
        // Somebody else's connection by now.
        if (this.#client.stream === stream) callback(undefined, this.#packet(CONTINUE, this.#method ?? '', answer));
        return;
      }
      const renewing = this.#renewing;
      if (renewing === undefined) throw this.#unproven('it says yes to what nobody has asked');
      const problem = this.#proof.judge?.(data);
      if (problem !== undefined) throw this.#unproven(problem);
      callback();
      renewing.resolve();
    } catch (cause) {
      if (this.#client.stream !== stream) return;
      this.distrust =
        cause instanceof Failure ? cause : new Failure('internal', 'A proof could not be given.', { cause });
      callback(this.distrust);
    }
  }

  #send(reasonCode: number, method: string, data: Uint8Array | undefined): void {
    // The library renews nothing by itself, and has no public way to send this packet.
    const client = this.#client as unknown as { _sendPacket(packet: AuthPacket): void };
    client._sendPacket(this.#packet(reasonCode, method, data));
  }

  #packet(reasonCode: number, method: string, data: Uint8Array | undefined): AuthPacket {
    return { cmd: 'auth', reasonCode, properties: authProperties(method, data) };
  }

  #unproven(problem: string): Failure {
    return new Failure('server_not_proven', `${this.#where} is not believed: ${problem}.`);
  }
}

/** The properties of CONNECT and AUTH that carry a proof. */
export function authProperties(method: string, data: Uint8Array | undefined) {
  return {
    authenticationMethod: method,
    // A browser has no other bytes; the library writes any.
    ...(data === undefined
      ? {}
      : { authenticationData: typeof Buffer === 'undefined' ? (data as Buffer) : Buffer.from(data) }),
  };
}
