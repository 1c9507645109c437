import { principalName, type Refusal, type RefusalReason } from '@sallyport/model';
import {
  type Connect,
  type DecodeFailure,
  Decoder,
  type Disconnect,
  encode,
  type Packet,
  type PacketReceiver,
  type ProtocolVersion,
  type PublishFrame,
  ReasonCode,
} from '@sallyport/mqtt';
import type { TransportFacts } from '../events/transport-facts.ts';
import { acknowledge, acknowledged } from './acknowledge.ts';
import { waitForTurn } from './admission-bounds.ts';
import type { Admission, ArrivalVerdict } from './arrival.ts';
import { AuthDesk, type AuthHost } from './auth-desk.ts';
import type { ByteReceiver, ByteStream } from './byte-stream.ts';
import { claimSession } from './claims.ts';
import { keepAliveOf, welcome } from './connack.ts';
import { askDoors, refuseAdmitted, refuseConnect } from './connect.ts';
import type { BrokerContext } from './context.ts';
import { depart } from './departure.ts';
import { CLOSE_CODES, type Ending } from './ending.ts';
import type { Link } from './link.ts';
import type { NotOpened } from './not-opened.ts';
import { type Opened, openSession } from './open-session.ts';
import { Outgoing } from './outgoing.ts';
import { publish } from './publish.ts';
import { pump } from './pump.ts';
import type { Realm } from './realm.ts';
import { connackCode } from './reason-codes.ts';
import { reconsider } from './reconsider.ts';
import { send, ticketProperties } from './send.ts';
import type { Session } from './session.ts';
import { sessionClosed, sessionOpened } from './session-events.ts';
import { subscribe } from './subscribe.ts';
import type { Team } from './team.ts';
import { costOf, Throttle } from './throttle.ts';
import type { Timed } from './timer-wheel.ts';
import { aliasesFor, type TopicAliases } from './topic-aliases.ts';
import type { TopicEntry } from './topic-cache.ts';
import { unsubscribe } from './unsubscribe.ts';
import { refuseStranger, ticketOf } from './violation.ts';

const PINGRESP = Buffer.from([0xd0, 0]);
/** Bytes of a CONNACK that says no and nothing else, in MQTT 5. */
const SMALLEST_CONNACK = 5;
/** A client that has been silent for so long gives back what it does not need. Milliseconds. */
const REST_AFTER = 5_000;
/** When a client without a keep alive is looked at again. Milliseconds. */
const LOOK_AGAIN_AFTER = 60_000;
/** More bytes than any CONNACK has. */
const LARGEST_GREETING = 0x20000;

/** What is wrong with a CONNECT and can be told below MQTT 5. */
const TOLD_BELOW_5: ReadonlySet<DecodeFailure['code']> = new Set([
  'unsupported_protocol_version',
  'client_identifier_not_valid',
  'packet_too_large',
]);

type State = 'greeting' | 'arriving' | 'open' | 'ending' | 'closed';

/** One connection, from its first byte to its last. Everything that may fail in it ends it, and nothing but it. */
export class Connection extends Outgoing implements Link, Timed, ByteReceiver, PacketReceiver, AuthHost {
  readonly facts: TransportFacts;
  readonly connectedAt: number;
  bytesIn = 0;
  messagesIn = 0;
  messagesOut = 0;
  aliases: (TopicEntry | undefined)[] | undefined;
  problemInformation = true;
  topicAliases: TopicAliases | undefined;
  due = 0;
  slot = -1;
  next: Timed | undefined;
  previous: Timed | undefined;
  readonly #decoder: Decoder;
  readonly #gone: (connection: Connection) => void;
  #state: State = 'greeting';
  /** Ticks of silence after which the client is taken for dead; 0: never. */
  #patience = 0;
  #heard: number;
  /** Answers that are waited for before anything more is read. */
  #waits = 0;
  /** Set once the client has not kept to its rates. */
  #throttle: Throttle | undefined;
  /** What goes on when a pause is over in which nothing is read. */
  #paused: (() => void) | undefined;
  /** The client has waited for its turn to connect. */
  #hasTurn = false;
  #username: string | undefined;
  mostOut = Number.POSITIVE_INFINITY;
  /** Set where CONNECT named an authentication method. */
  #auth: AuthDesk | undefined;
  #session: Session | undefined;
  #realm: Realm | undefined;

  /** `gone` is called once, when nothing is left of the connection. */
  constructor(
    context: BrokerContext,
    stream: ByteStream,
    facts: TransportFacts,
    gone: (connection: Connection) => void,
  ) {
    super(context, stream);
    this.facts = facts;
    this.#gone = gone;
    this.connectedAt = context.now();
    this.#heard = context.wheel.tick;
    const { limits, frame } = context;
    this.#decoder = new Decoder({ maximumPacketSize: limits.maximumPacketSize, from: 'client', frame });
    context.wheel.schedule(this, context.limits.connectDeadline);
    stream.attach(this);
  }

  get version(): ProtocolVersion {
    return this.#decoder.version;
  }

  get arriving(): boolean {
    return this.#state === 'arriving';
  }

  /** False while nothing but CONNECT is believed, and after the end. */
  get open(): boolean {
    return this.#state === 'open';
  }

  // Bytes in

  data(chunk: Buffer): void {
    const { counters, wheel, passage, flusher } = this.context;
    if (passage.busy) {
      flusher.later(() => this.data(chunk));
      return;
    }
    if (this.#state === 'ending' || this.#state === 'closed') return;
    counters.bytesReceived += chunk.length;
    this.bytesIn += chunk.length;
    this.#heard = wheel.tick;
    const session = this.#session;
    if (session !== undefined) this.#count(session, chunk.length);
    const failure = this.#decoder.push(chunk, this);
    if (failure !== undefined) this.#malformed(failure);
    else if (session !== undefined) this.#spend(session, 0);
  }

  /** Takes bytes from the allowances, which grow with time: it is looked at once per chunk. */
  #count({ account }: Session, bytes: number): void {
    const now = this.context.now();
    const own = account.traffic;
    own.refill(now);
    own.bytes -= bytes;
    const home = this.#realm!.traffic;
    home.refill(now);
    home.bytes -= bytes;
  }

  #spend({ account }: Session, messages: number): void {
    const own = account.traffic;
    const home = this.#realm!.traffic;
    own.messages -= messages;
    home.messages -= messages;
    if (own.messages < 0 || own.bytes < 0 || home.messages < 0 || home.bytes < 0) this.#slowDown();
  }

  /** Too much came: this connection, and no other, is not read until nothing is owed. */
  #slowDown(): void {
    if (this.#state !== 'open' || this.#paused !== undefined) return;
    const session = this.#session!;
    this.#throttle ??= new Throttle();
    const wait = this.#throttle.wait(this.context, session, this.#realm!.traffic);
    if (wait === 'exhausted') {
      const text = `The client was over its rates for more than ${session.limits.slowdown / 1000} s without a break.`;
      const { quotaExceeded } = ReasonCode;
      const violation = { reason: 'quota_exceeded', limit: 'slowdown' } as const;
      this.end({ reasonCode: quotaExceeded, closeCode: CLOSE_CODES.closedByServer, text, will: true, violation });
    } else if (wait > 0) {
      this.#pause(wait, () => {
        this.#heard = this.context.wheel.tick;
        if (this.#patience > 0) this.context.wheel.scheduleTicks(this, this.#patience);
        this.#slowDown();
        if (this.#paused === undefined) this.#readOn();
      });
    }
  }

  /** Reads nothing for so many milliseconds. */
  #pause(wait: number, then: () => void): void {
    this.holdReading();
    this.#paused = then;
    this.context.wheel.schedule(this, wait);
  }

  wait<T>(answer: Promise<T>, then: (answer: T) => void): void {
    this.holdReading();
    this.#waits++;
    answer.then(
      (value) => {
        this.#waits--;
        this.#heard = this.context.wheel.tick;
        try {
          if (this.#state === 'open') then(value);
          this.#readOn();
        } catch (error) {
          this.defect('wait', error);
        }
      },
      (error: unknown) => this.defect('wait', error),
    );
  }

  #readOn(): void {
    if (this.#state === 'open' && this.#waits === 0 && this.#paused === undefined) this.listen();
  }

  publish(frame: PublishFrame): void {
    try {
      this.context.counters.packetsReceived++;
      if (this.#state !== 'open') this.violated('PUBLISH came before CONNACK.', 'MQTT-3.1.0-1');
      else {
        publish(this.context, this.#realm!, this.#session!, this, frame);
        this.#spend(this.#session!, 1);
      }
    } catch (error) {
      this.defect('publish', error);
    }
  }

  packet(packet: Packet): void {
    try {
      this.context.counters.packetsReceived++;
      if (packet.type === 'connect') this.#connect(packet);
      else if (this.#state === 'open') {
        this.#take(packet, this.#realm!, this.#session!);
        this.#spend(this.#session!, costOf(packet));
      } else if (this.#auth?.waiting === true) this.#auth.answered(packet);
      else this.violated(`${packet.type.toUpperCase()} came before CONNACK.`, 'MQTT-3.1.0-1');
    } catch (error) {
      this.defect(packet.type, error);
    }
  }

  puback(packetId: number): void {
    if (this.#state !== 'open') {
      this.packet({ type: 'puback', packetId, reasonCode: ReasonCode.success });
      return;
    }
    try {
      this.context.counters.packetsReceived++;
      acknowledged(this.context, this.#realm!, this.#session!, this, packetId);
    } catch (error) {
      this.defect('puback', error);
    }
  }

  #take(packet: Packet, realm: Realm, session: Session): void {
    switch (packet.type) {
      case 'puback':
      case 'pubrec':
      case 'pubrel':
      case 'pubcomp':
        acknowledge(this.context, realm, session, this, packet);
        return;
      case 'subscribe':
        subscribe(this.context, realm, session, this, packet);
        return;
      case 'unsubscribe':
        unsubscribe(this.context, realm, session, this, packet);
        return;
      case 'pingreq':
        this.slab.append(PINGRESP, 0, 2);
        this.touch();
        return;
      case 'disconnect':
        this.#farewell(packet, session);
        return;
      case 'auth':
        if (this.#auth !== undefined) this.#auth.again(packet, realm, session);
        else this.violated('AUTH came though CONNECT named no authentication method.', 'MQTT-4.12.0-7');
        return;
      default:
        this.violated(`${packet.type.toUpperCase()} is not for a client to send here.`);
    }
  }

  // Arrival

  #connect(packet: Connect): void {
    if (this.#state !== 'greeting') {
      this.violated('A second CONNECT came.', 'MQTT-3.1.0-2');
      return;
    }
    this.#state = 'arriving';
    this.#username = packet.username;
    this.problemInformation = packet.properties?.requestProblemInformation ?? true;
    const { authenticationMethod: method, authenticationData, maximumPacketSize } = packet.properties ?? {};
    if (maximumPacketSize !== undefined) this.mostOut = maximumPacketSize;
    if (method !== undefined) this.#auth = new AuthDesk(this.context, this, method, authenticationData);
    this.#ask(packet);
  }

  #ask(packet: Connect): void {
    const verdict = askDoors(this.context, packet, this.facts, this.#auth?.exchange);
    if (!(verdict instanceof Promise)) {
      this.#arrived(packet, verdict);
      if (this.#hasTurn) this.#readOn();
      return;
    }
    // Nothing more is read before the doors have answered, so that a stranger's bytes wait with the stranger.
    this.holdReading();
    verdict.then(
      (answer) => {
        try {
          if (this.#state === 'arriving') this.#arrivedLate(packet, answer);
        } catch (error) {
          this.defect('arrival', error);
        }
      },
      (error: unknown) => this.defect('arrival', error),
    );
  }

  #arrivedLate(packet: Connect, verdict: ArrivalVerdict): void {
    this.#arrived(packet, verdict);
    if (!this.open) return;
    // A right may have ended while the doors were asked, before there was a session that could have been told.
    void reconsider(this.context, this.#realm!, this.#session!);
    this.#readOn();
  }

  #arrived(packet: Connect, verdict: ArrivalVerdict): void {
    if (verdict.outcome === 'refused') {
      this.#turnAway(verdict.reason, verdict.refusal);
      return;
    }
    const admission = verdict.session;
    const { team } = this.context;
    if (team !== undefined) {
      this.#claim(team, packet, verdict);
      return;
    }
    const name = principalName(admission.principal);
    const turn = this.#hasTurn ? 0 : waitForTurn(this.context, admission, name);
    if (typeof turn !== 'number') this.#notOpened(packet, admission, turn);
    else if (turn > 0) this.#waitForTurn(packet, verdict, turn);
    else this.#open(packet, admission, undefined);
  }

  #waitForTurn(packet: Connect, verdict: ArrivalVerdict, turn: number): void {
    // Asked again afterwards: what held before the pause may hold no more.
    this.#hasTurn = true;
    this.#pause(turn, () => {
      this.context.wheel.schedule(this, this.context.limits.connectDeadline);
      // The client has brought its exchange to an end and would not understand a second one.
      if (this.#auth !== undefined) this.#arrivedLate(packet, verdict);
      else this.#ask(packet);
    });
  }

  /** Where there are several workers: which has the client id, and what belongs to it, is settled first. */
  #claim(team: Team, packet: Connect, verdict: Extract<ArrivalVerdict, { outcome: 'admitted' }>): void {
    const admission = verdict.session;
    this.holdReading();
    claimSession(this.context, team, packet, admission, this.#hasTurn).then(
      (claim) => {
        const there = this.#state === 'arriving';
        try {
          if (typeof claim === 'number') {
            if (there) this.#waitForTurn(packet, verdict, claim);
          } else if ('reason' in claim) {
            if (there) this.#notOpened(packet, admission, claim);
          } else {
            if (there) this.#open(packet, admission, claim.clientId);
            claim.settle(this.#session?.link === this ? this.#session : undefined);
            if (!this.open) return;
            // A right may have ended while the office was asked.
            void reconsider(this.context, this.#realm!, this.#session!);
            this.#readOn();
          }
        } catch (error) {
          this.defect('claim', error);
        }
      },
      (error: unknown) => this.defect('claim', error),
    );
  }

  #open(packet: Connect, admission: Admission, claimed: string | undefined): void {
    const opened: Opened | NotOpened = openSession(this.context, packet, admission, this, claimed);
    if ('reason' in opened) {
      this.#notOpened(packet, admission, opened);
      return;
    }
    const { session, realm, sessionPresent } = opened;
    this.#session = session;
    this.#realm = realm;
    this.#state = 'open';
    this.#decoder.maximumPacketSize = session.limits.maximumPacketSize;
    this.topicAliases = aliasesFor(packet, session);
    this.#expectLife(keepAliveOf(packet, opened));
    this.context.counters.sessionsOpened++;
    const greeting = welcome(packet, opened, this.#auth?.exchange);
    if (this.mostOut < LARGEST_GREETING && encode(greeting, this.version).length > this.mostOut) {
      this.#cannotGreet(packet, sessionPresent);
      return;
    }
    send(this, greeting);
    this.#auth?.opened(packet, admission);
    this.context.events.emit(sessionOpened(session, this, this.#username, packet.cleanStart, sessionPresent));
    pump(this.context, session, realm.retained);
    if (session.storeId > 0) this.#greetWhenSaved(packet, sessionPresent);
  }

  /** [MQTT-3.1.2-24] holds for CONNACK too: who takes none so large is told nothing. */
  #cannotGreet(packet: Connect, sessionPresent: boolean): void {
    const text = `The client takes packets of ${this.mostOut} bytes at most, which is too little for CONNACK.`;
    const refusal = refuseConnect(this.context, packet.clientId, this.facts, 'packet_too_large', text);
    this.context.counters.sessionsRefused++;
    this.context.events.emit({ type: 'session.refused', refusal, transport: this.facts });
    const closeCode = CLOSE_CODES.messageTooLarge;
    this.#depart({ reasonCode: undefined, closeCode, text, will: false, forget: !sessionPresent }, refusal.ticket);
    this.shut();
  }

  #notOpened(packet: Connect, admission: Admission, met: NotOpened): void {
    this.#turnAway(met.reason, refuseAdmitted(this.context, packet.clientId, this.facts, admission, met));
  }

  /** A session that is kept is promised only when it is stored; until then nothing is said. */
  #greetWhenSaved(packet: Connect, sessionPresent: boolean): void {
    this.holdBack();
    this.context.durability.whenSaved((saved) => {
      if (this.#state !== 'open') return;
      if (saved || sessionPresent) {
        this.letGo();
        return;
      }
      this.slab.take();
      const text = 'The session store took no new session.';
      const refusal = refuseConnect(this.context, packet.clientId, this.facts, 'quota_exceeded', text);
      this.#refuseWith(connackCode('quota_exceeded', this.version), refusal.ticket);
      const closeCode = CLOSE_CODES.closedByServer;
      this.#depart({ reasonCode: undefined, closeCode, text, will: false, forget: true }, refusal.ticket);
    });
  }

  #turnAway(reason: RefusalReason, refusal: Refusal): void {
    this.context.counters.sessionsRefused++;
    this.context.events.emit({ type: 'session.refused', refusal, transport: this.facts });
    this.#refuseWith(connackCode(reason, this.version), refusal.ticket);
  }

  #refuseWith(reasonCode: number, ticket: string | undefined): void {
    const told = ticketProperties(this, ticket, this.mostOut);
    if (this.mostOut >= SMALLEST_CONNACK) send(this, { type: 'connack', sessionPresent: false, reasonCode, ...told });
    this.shut();
  }

  holdReading(): void {
    this.#decoder.stop();
    this.stream.pause();
  }

  listen(): void {
    this.stream.resume();
    const failure = this.#decoder.resume(this);
    if (failure !== undefined) this.#malformed(failure);
  }

  // Life

  /** One and a half times the keep alive [MQTT-3.1.2-22]. */
  #expectLife(keepAlive: number): void {
    const { wheel } = this.context;
    this.#patience = keepAlive === 0 ? 0 : wheel.ticks(keepAlive * 1500) + 1;
    const rest = wheel.ticks(REST_AFTER);
    wheel.scheduleTicks(this, this.#patience === 0 ? rest : Math.min(this.#patience, rest));
  }

  elapsed(): void {
    const { wheel, counters } = this.context;
    if (this.#state === 'ending') {
      this.stream.destroy();
      return;
    }
    if (this.#paused !== undefined) {
      const goOn = this.#paused;
      this.#paused = undefined;
      try {
        goOn();
      } catch (error) {
        this.defect('pause', error);
      }
      return;
    }
    if (this.#state !== 'open') {
      counters.connectTimeouts++;
      this.#state = 'ending';
      this.stream.destroy();
      return;
    }
    // Who is not read cannot be heard.
    if (this.#waits > 0) this.#heard = wheel.tick;
    const silent = wheel.tick - this.#heard;
    if (silent > 2) {
      this.shrink();
      this.#decoder.rest();
      this.#session!.rest();
      this.#session!.rights.rest?.();
    }
    if (this.#patience === 0) wheel.schedule(this, LOOK_AGAIN_AFTER);
    else if (silent < this.#patience) wheel.scheduleTicks(this, this.#patience - silent);
    else this.#tooSilent();
  }

  #tooSilent(): void {
    this.context.counters.keepAliveTimeouts++;
    const text = 'Nothing was heard from the client for one and a half times its keep alive.';
    this.end({ reasonCode: ReasonCode.keepAliveTimeout, closeCode: CLOSE_CODES.keepAlive, text, will: true });
  }

  // Bytes out

  drain(): void {
    if (this.#state === 'closed') return;
    try {
      this.unblock();
      if (this.#state === 'open' && !this.#session!.upToDate) pump(this.context, this.#session!, this.#realm!.retained);
    } catch (error) {
      this.defect('drain', error);
    }
  }

  protected overflowed(): void {
    const most = this.context.limits.outgoingBytesHard;
    const text = `The client does not read: more than ${most} bytes wait for it.`;
    const closeCode = CLOSE_CODES.closedByServer;
    this.end({
      reasonCode: ReasonCode.quotaExceeded,
      closeCode,
      text,
      will: true,
      violation: { reason: 'quota_exceeded', limit: 'outgoingBytesHard' },
    });
  }

  // The end

  #farewell({ reasonCode, properties }: Disconnect, session: Session): void {
    const asked = properties?.sessionExpiryInterval;
    if (asked !== undefined && asked > 0 && session.expiryAsked === 0) {
      this.violated('DISCONNECT gives a session expiry interval to a session that ends with it.', 'MQTT-3.14.2-2');
      return;
    }
    if (asked !== undefined) session.expiry = Math.min(asked, session.limits.sessionExpiryMaximum);
    const normal = reasonCode === ReasonCode.normalDisconnection;
    const text = normal
      ? 'The connection has completed normally.'
      : `The client disconnected with 0x${reasonCode.toString(16)}.`;
    const closeCode = normal ? CLOSE_CODES.normal : CLOSE_CODES.closedByClient;
    this.#finish({ reasonCode: undefined, closeCode, text, will: !normal }, true);
  }

  end(ending: Ending): void {
    this.#finish(ending, false);
  }

  #finish(ending: Ending, parted: boolean): void {
    if (this.#state === 'greeting' || this.#state === 'arriving') {
      this.shut();
      return;
    }
    if (this.#state !== 'open') return;
    this.#state = 'ending';
    const ticket = ticketOf(this.context, this.#session!, this.facts, ending);
    if (this.version === 5 && ending.reasonCode !== undefined) this.#sayGoodbye(ending.reasonCode, ticket);
    this.shut(parted);
    this.#depart(ending, ticket);
  }

  #sayGoodbye(reasonCode: number, ticket: string | undefined): void {
    const told = ticketProperties(this, ticket, this.#session!.maximumPacketSize);
    try {
      send(this, { type: 'disconnect', reasonCode, ...told });
    } catch {
      // A code that DISCONNECT does not have must not keep the connection alive.
      send(this, { type: 'disconnect', reasonCode: ReasonCode.unspecifiedError });
    }
  }

  /** Lets what was written go out, then closes; cuts the connection if the peer does not take it in time. `parted`: the peer has said goodbye. */
  shut(parted = false): void {
    this.#state = 'ending';
    this.#auth?.drop();
    this.#decoder.stop();
    this.flushLast();
    if (parted) this.stream.part();
    else this.stream.end();
    this.context.wheel.schedule(this, this.context.limits.closeDeadline);
  }

  /** Closes at once, without a word. */
  cut(): void {
    this.stream.destroy();
  }

  closed(cause?: Error): void {
    const { state, session } = { state: this.#state, session: this.#session };
    if (state === 'closed') return;
    this.#state = 'closed';
    this.#auth?.drop();
    this.#decoder.stop();
    this.context.wheel.cancel(this);
    if (state === 'open' && session !== undefined) {
      const text = `The connection was closed by the client or the network${cause ? `: ${cause.message}` : ''}.`;
      try {
        this.#depart({ reasonCode: undefined, closeCode: CLOSE_CODES.closedByClient, text, will: true }, undefined);
      } catch (error) {
        this.defect('departure', error);
      }
    }
    this.#gone(this);
  }

  #depart(ending: Ending, ticket: string | undefined): void {
    const session = this.#session!;
    if (session.link !== this) return;
    depart(this.context, this.#realm!, session, ending);
    const { bytesIn, bytesOut, messagesIn, messagesOut } = this;
    const traffic = { bytesIn, bytesOut, messagesIn, messagesOut };
    this.context.events.emit(sessionClosed(session, this, this.#username, traffic, ending, ticket));
  }

  // What goes wrong

  violated(text: string, statement?: string): void {
    const violation = { reason: 'protocol_error', ...(statement === undefined ? {} : { statement }) } as const;
    const { protocolError } = ReasonCode;
    if (this.#state === 'open') {
      this.end({ reasonCode: protocolError, closeCode: CLOSE_CODES.closedByServer, text, will: true, violation });
      return;
    }
    refuseStranger(this.context, this.facts, 'protocol_error', text, statement);
    this.shut();
  }

  #malformed({ code, reasonCode, statement, message, packetType }: DecodeFailure): void {
    if (this.#state === 'ending' || this.#state === 'closed') return;
    const reason: RefusalReason = code === 'client_identifier_not_valid' ? 'malformed_client_id' : code;
    if (this.#state === 'open') {
      const violation = {
        reason,
        statement,
        ...(code === 'packet_too_large' ? { limit: 'maximumPacketSize' as const } : {}),
      };
      const closeCode = code === 'packet_too_large' ? CLOSE_CODES.messageTooLarge : CLOSE_CODES.closedByServer;
      this.end({ reasonCode, closeCode, text: message, will: true, violation });
      return;
    }
    const refusal = refuseStranger(this.context, this.facts, reason, message, statement);
    // What is not even the beginning of a CONNECT gets no answer; below MQTT 5 a malformed one neither [MQTT-3.1.4-1].
    const unanswered = packetType !== 'connect' || (this.version < 5 && !TOLD_BELOW_5.has(code));
    if (unanswered) this.shut();
    else this.#refuseWith(connackCode(reason, this.version), refusal.ticket);
  }

  defect(where: string, error: unknown): void {
    this.context.counters.defects++;
    const problem = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.context.events.emit({ type: 'defect', where: `broker ${where}`, problem });
    const text = 'A defect of the server ended the connection.';
    this.end({ reasonCode: ReasonCode.unspecifiedError, closeCode: CLOSE_CODES.closedByServer, text, will: true });
  }
}
