import { type Auth, type Connect, encode, type Packet, ReasonCode } from '@sallyport/mqtt';
import type { Admission } from './arrival.ts';
import { AuthExchange, type AuthLine, authProperties } from './auth-exchange.ts';
import type { Greeting } from './connect.ts';
import type { BrokerContext } from './context.ts';
import { CLOSE_CODES } from './ending.ts';
import type { Link } from './link.ts';
import type { Realm } from './realm.ts';
import { renew } from './renew.ts';
import { send } from './send.ts';
import type { Session } from './session.ts';
import type { Timed } from './timer-wheel.ts';

/** The connection as its AUTH packets see it. */
export interface AuthHost extends Link, Timed {
  /** A session is open. */
  readonly open: boolean;
  /** CONNECT has come and is not answered. */
  readonly arriving: boolean;
  /** Bytes of a packet that the client takes [MQTT-3.1.2-24]. */
  readonly mostOut: number;
  /** Reads nothing more until {@link listen}. */
  holdReading(): void;
  /** Reads on before there is a session. */
  listen(): void;
  violated(text: string, statement?: string): void;
  /** Lets what was written go out, then closes. */
  shut(): void;
  defect(where: string, error: unknown): void;
}

/** The AUTH packets of one connection whose CONNECT named an authentication method (MQTT 5 section 4.12). */
export class AuthDesk implements AuthLine {
  readonly #context: BrokerContext;
  readonly #host: AuthHost;
  readonly #method: string;
  /** Under way: of the arrival, or of a client with a session that authenticates itself again. */
  #exchange: AuthExchange | undefined;
  #greeting: Greeting | undefined;

  constructor(context: BrokerContext, host: AuthHost, method: string, data: Uint8Array | undefined) {
    this.#context = context;
    this.#host = host;
    this.#method = method;
    this.#exchange = new AuthExchange(this, method, data, false);
  }

  get exchange(): AuthExchange | undefined {
    return this.#exchange;
  }

  /** The client owes an answer. */
  get waiting(): boolean {
    return this.#exchange?.waiting === true;
  }

  /** The exchange has led to a session: from now on the client may authenticate itself again. */
  opened({ clientId, username, protocolVersion, cleanStart }: Connect, admission: Admission): void {
    const named = username === undefined ? {} : { username };
    this.#greeting = { clientId, ...named, protocolVersion, cleanStart, admittedAs: admission.clientId };
    this.#exchange = undefined;
  }

  challenge(exchange: AuthExchange, data: Uint8Array, patience: number | undefined): void {
    if (exchange !== this.#exchange) return;
    if (!this.#say(ReasonCode.continueAuthentication, exchange, data)) {
      exchange.abandon();
      return;
    }
    const timed = exchange.renewal ? exchange : this.#host;
    if (patience !== undefined) this.#context.wheel.schedule(timed, patience);
    if (this.#host.arriving) this.#host.listen();
  }

  /** What came where only an answer to a challenge, or a goodbye, may come [MQTT-3.1.2-30]. */
  answered(packet: Packet): void {
    if (packet.type === 'disconnect') {
      this.#host.shut();
    } else if (packet.type !== 'auth') {
      this.#host.violated(`${packet.type.toUpperCase()} came before CONNACK.`, 'MQTT-3.1.2-30');
    } else if (this.#continues(packet)) {
      this.#host.holdReading();
      this.#exchange?.answered(packet.properties?.authenticationData);
    }
  }

  /** AUTH in a session: the client authenticates itself again, while everything else goes on (MQTT 5 section 4.12.1). */
  again(packet: Auth, realm: Realm, session: Session): void {
    const { authenticationMethod, authenticationData } = packet.properties ?? {};
    if (this.waiting) {
      if (this.#continues(packet)) this.#exchange?.answered(authenticationData);
    } else if (packet.reasonCode !== ReasonCode.reAuthenticate || this.#exchange !== undefined) {
      this.#host.violated('AUTH came where nothing was asked.');
    } else if (authenticationMethod !== this.#method) {
      this.#host.violated('AUTH names another authentication method than CONNECT.', 'MQTT-4.12.1-1');
    } else this.#renew(realm, session, authenticationData);
  }

  late(): void {
    this.#notRenewed(undefined);
  }

  /** Nothing more will come of what is under way. */
  drop(): void {
    if (this.#exchange === undefined) return;
    this.#context.wheel.cancel(this.#exchange);
    this.#exchange.abandon();
    this.#exchange = undefined;
  }

  #renew(realm: Realm, session: Session, data: Uint8Array | undefined): void {
    const host = this.#host;
    const exchange = new AuthExchange(this, this.#method, data, true);
    this.#exchange = exchange;
    this.#context.wheel.schedule(exchange, this.#context.limits.connectDeadline);
    renew(this.#context, realm, session, host, this.#greeting!, exchange).then(
      (renewal) => {
        if (this.#exchange !== exchange || !host.open) return;
        this.drop();
        if (!renewal.renewed) this.#notRenewed(renewal.ticket);
        else if (!this.#say(ReasonCode.success, exchange, exchange.conclusion)) this.#notRenewed(undefined);
      },
      (error: unknown) => host.defect('renewal', error),
    );
  }

  /** False if the client takes no packet of that size [MQTT-3.1.2-24]. */
  #say(reasonCode: number, exchange: AuthExchange, data: Uint8Array | undefined): boolean {
    const packet: Auth = { type: 'auth', reasonCode, properties: authProperties(exchange, data) };
    if (encode(packet, this.#host.version).length > this.#host.mostOut) return false;
    send(this.#host, packet);
    return true;
  }

  #continues({ reasonCode, properties }: Auth): boolean {
    if (properties?.authenticationMethod !== this.#method) {
      this.#host.violated('AUTH names another authentication method than CONNECT.', 'MQTT-4.12.0-5');
      return false;
    }
    if (reasonCode === ReasonCode.continueAuthentication) return true;
    this.#host.violated('AUTH came with another reason code than 0x18.', 'MQTT-4.12.0-3');
    return false;
  }

  #notRenewed(ticket: string | undefined): void {
    const text =
      ticket === undefined
        ? 'The client did not come to an end with authenticating itself again.'
        : 'The client could not authenticate itself again.';
    const told = ticket === undefined ? { violation: { reason: 'exchange_broken_off' } as const } : { ticket };
    const { notAuthorized: reasonCode } = ReasonCode;
    this.#host.end({ reasonCode, closeCode: CLOSE_CODES.notAuthorised, text, will: true, ...told });
  }
}
