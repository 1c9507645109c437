/** A packet was to be encoded that the protocol cannot express. A bug of the caller; nothing was written. */
export class EncodeError extends TypeError {
  constructor(message: string) {
    super(message);
    this.name = 'EncodeError';
  }
}
