/*
 * What protects messages between a device and an application from everybody between them. The bytes are described in
 * docs/reference/signed-commands.md and docs/reference/sealed-payloads.md.
 */

/** What commands to the devices of a type must be: `signed` by an application, with the published `uid`, or anything. */
export const COMMAND_PROTECTIONS = ['signed', 'uid', 'any'] as const;
export type CommandProtection = (typeof COMMAND_PROTECTIONS)[number];

/** Whether what the devices of a type send and receive must be sealed end to end, may be, or may not be. */
export const PAYLOAD_ENCRYPTIONS = ['required', 'optional', 'off'] as const;
export type PayloadEncryption = (typeof PAYLOAD_ENCRYPTIONS)[number];

/** Last level of a topic whose payload is signed: COSE_Sign1, or a compact JWS. */
export const SIGNED_FORMATS = ['cose', 'jws'] as const;
/** Last level of a topic whose payload is sealed: COSE_Encrypt0, or a compact JWE. */
export const SEALED_FORMATS = ['cose-sealed', 'jwe'] as const;
export type SignedFormat = (typeof SIGNED_FORMATS)[number];
export type SealedFormat = (typeof SEALED_FORMATS)[number];

/** Name of the command and of the event by which both sides show the platform's statement about their keys. */
export const IDENTITY_MESSAGE = 'sallyport-identity';
/** Name of the event by which a device says that it did not follow a command. */
export const REFUSAL_MESSAGE = 'sallyport-refusal';

/** What the platform states of keys: that they are those of this principal. Times are ISO 8601. */
export interface StatementDocument {
  /** Base64url, 22 characters: the beginning of the SHA-256 of the keys. */
  readonly keyId: string;
  /** Written form of the principal: an application, device or gateway. */
  readonly principal: string;
  readonly algorithm: 'EdDSA' | 'ES256';
  readonly notBefore: string;
  readonly notAfter: string;
  readonly createdAt: string;
  readonly createdBy: string;
  readonly revokedAt?: string;
  readonly revokedBy?: string;
}

/** A key on record, with the platform's statement about it as it is now. */
export interface IdentityDocument extends StatementDocument {
  /** Public JWK for signatures. */
  readonly signingKey: Readonly<Record<string, string>>;
  /** Public JWK (X25519) for sealing; absent if the principal takes no sealed payloads. */
  readonly sealingKey?: Readonly<Record<string, string>>;
  /** COSE_Sign1, as Base64url; absent once the key was revoked or has ended. */
  readonly cose?: string;
  /** Compact JWS; absent once the key was revoked or has ended. */
  readonly jws?: string;
}

/** Why a device does not follow a command. */
export const COMMAND_PROBLEMS = {
  unsigned: 'It is neither signed nor sealed.',
  malformed: 'It is not of the form that its format names.',
  unknown_key: 'It was signed with a key that the device was never shown.',
  bad_signature: 'Its signature is wrong: it was changed, or made with another key.',
  wrong_application: 'It names another application than the one whose key signed it.',
  not_permitted: 'The application is not one that the device takes this command from.',
  wrong_device: 'It is for another device.',
  wrong_topic: 'It was signed for another topic.',
  not_yet_valid: 'It is from the future: a clock is wrong.',
  expired: 'It came too late.',
  lifetime_too_long: 'It would be valid for longer than the device takes.',
  replayed: 'It came before.',
  out_of_order: 'A later one came before it.',
  key_ended: 'Its key has ended or was revoked.',
  not_sealed: 'The device takes only sealed commands.',
  cannot_open: 'It cannot be opened: it was sealed for another key, changed, or moved to another topic.',
  memory_failing: 'The device cannot remember what it has followed, so it follows nothing.',
} as const;
export type CommandProblem = keyof typeof COMMAND_PROBLEMS;
