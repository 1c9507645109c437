/** What the broker needs of a connection, whatever carries it: TCP, TLS or WebSocket. */
export interface ByteStream {
  /** False if the bytes were buffered beyond the high-water mark: wait for `drain`. The slice must not be changed afterwards. */
  write(bytes: Uint8Array): boolean;
  /** Sends what is buffered, then closes. */
  end(): void;
  /** As `end`, after the peer has said goodbye: nothing more of it has to be waited for. */
  part(): void;
  /** Closes at once; what is buffered is lost. */
  destroy(): void;
  pause(): void;
  resume(): void;
  /** Bytes handed to `write` that the system has not taken yet. */
  readonly bufferedBytes: number;
  /** Called once, before any byte is delivered. */
  attach(receiver: ByteReceiver): void;
}

export interface ByteReceiver {
  data(chunk: Buffer): void;
  drain(): void;
  /** Called exactly once, for every way in which the stream can end. */
  closed(cause?: Error): void;
}
