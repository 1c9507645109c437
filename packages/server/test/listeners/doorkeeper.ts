import { EventEmitter, once } from 'node:events';
import type { ByteStream } from '../../src/broker/byte-stream.ts';
import type { TransportFacts } from '../../src/events/transport-facts.ts';
import type { HandshakeFailure } from '../../src/listeners/handshake-problem.ts';

export interface Visitor {
  readonly stream: ByteStream;
  readonly facts: TransportFacts;
  /** Everything received so far. */
  text(): string;
  closed: boolean;
  closedTimes: number;
  cause?: Error;
}

/** Stands where the broker would and writes down who came. Echoes what it hears, unless told to be silent. */
export class Doorkeeper extends EventEmitter {
  readonly visitors: Visitor[] = [];
  readonly failures: HandshakeFailure[] = [];
  echo = true;

  readonly accept = (stream: ByteStream, facts: TransportFacts): void => {
    const chunks: Buffer[] = [];
    const visitor: Visitor = {
      stream,
      facts,
      text: () => Buffer.concat(chunks).toString(),
      closed: false,
      closedTimes: 0,
    };
    stream.attach({
      data: (chunk) => {
        chunks.push(chunk);
        if (this.echo) stream.write(chunk);
        this.emit('data', visitor);
      },
      drain: () => this.emit('drain', visitor),
      closed: (cause) => {
        visitor.closed = true;
        visitor.closedTimes += 1;
        if (cause) visitor.cause = cause;
        this.emit('closed', visitor);
      },
    });
    this.visitors.push(visitor);
    this.emit('visitor', visitor);
  };

  readonly onHandshakeFailure = (failure: HandshakeFailure): void => {
    this.failures.push(failure);
    this.emit('failure', failure);
  };

  async visitor(): Promise<Visitor> {
    return this.visitors.at(-1) ?? ((await once(this, 'visitor'))[0] as Visitor);
  }

  /** The first failure, now or later. */
  async failure(): Promise<HandshakeFailure> {
    return this.failures[0] ?? ((await once(this, 'failure'))[0] as HandshakeFailure);
  }
}
