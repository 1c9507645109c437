/** One request of the API on its way to the server. */
export interface OutgoingRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array<ArrayBuffer>;
}

export interface IncomingAnswer {
  readonly status: number;
  /** By lower-case name. */
  header(name: string): string | undefined;
  readonly text: string;
}

/**
 * Carries requests to the server. Rejects with the failures `server_unreachable` and `server_not_trusted`; an answer with an
 * error status is an answer.
 */
export interface ManagementTransport {
  send(request: OutgoingRequest): Promise<IncomingAnswer>;
  /** Lets go of connections that are kept for the next request. */
  close(): void;
}

/** Longest wait for an answer, in milliseconds. */
export const ANSWER_TIMEOUT = 30_000;
/** Largest answer that is read, in bytes. */
export const LARGEST_ANSWER = 64 * 1_048_576;
