/** A firmware image that devices of a type may run. */
export interface FirmwareReleaseDocument {
  readonly organisation: string;
  readonly type: string;
  readonly version: string;
  /** SHA-256 of the image, lower-case hexadecimal. */
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
  /** Grows with each release of the type; a device takes only what is newer. */
  readonly sequence: number;
  /** Once this release has proven itself on a device, nothing below this sequence starts there again. */
  readonly minimumSequence: number;
  /** Devices that prove themselves by a certificate have a new one issued with it. */
  readonly renewCertificate?: true;
}

/** One of the four roles that sign a firmware repository. */
export interface FirmwareRoleDocument {
  readonly role: string;
  /** How many of the keys must sign. */
  readonly threshold: number;
  readonly keys: readonly string[];
  readonly version: number;
  readonly expiresAt: string;
  /** Whether the server holds enough keys to sign by itself. */
  readonly signedHere: boolean;
}

/** The firmware repository of an organisation. */
export interface FirmwareRepositoryDocument {
  readonly organisation: string;
  readonly roles: readonly FirmwareRoleDocument[];
  readonly releases: number;
  /** Bytes of all images. */
  readonly size: number;
}

/** The public half of a key that signs for a role. */
export interface PublicRoleKeyDocument {
  readonly keyId: string;
  /** Ed25519, hexadecimal. */
  readonly publicKey: string;
}

/** What somebody needs who signs away from the server. */
export interface FirmwareSigningDocument {
  readonly snapshot: PublicRoleKeyDocument;
  readonly timestamp: PublicRoleKeyDocument;
  /** Bootloader of simulated devices, base64; the root role signs it. */
  readonly bootloader: string;
  /** Base64 of the signed statement about it; absent before the repository was made. */
  readonly bootloaderStatement?: string;
  /** The largest sequence that each type ever had. */
  readonly sequences: Readonly<Record<string, number>>;
  /** The signed roles in force; absent before the repository was made. */
  readonly root?: string;
  readonly targets?: string;
}

/** How much of an image has arrived. */
export interface FirmwareUploadDocument {
  readonly digest: string;
  readonly size: number;
  readonly received: number;
}

export const ROLLOUT_STATES = ['running', 'halted', 'finished', 'aborted'] as const;
export type RolloutState = (typeof ROLLOUT_STATES)[number];

/** How far a device is: waiting until it is its turn or it connects, then the steps of the device management protocol. */
export const ROLLOUT_DEVICE_STATES = [
  'waiting',
  'offered',
  'downloading',
  'downloaded',
  'installing',
  'succeeded',
  'failed',
] as const;
export type RolloutDeviceState = (typeof ROLLOUT_DEVICE_STATES)[number];

/** A release on its way to the devices of its type. */
export interface RolloutDocument {
  readonly id: string;
  readonly organisation: string;
  readonly type: string;
  readonly version: string;
  /** Share of the devices, 1 to 100; which ones follows from their ids. */
  readonly percent: number;
  /** Share of failures among those that reported, in percent, above which it halts by itself. */
  readonly haltAbove: number;
  readonly state: RolloutState;
  /** Why it is not running. */
  readonly cause?: string;
  readonly createdAt: string;
  readonly createdBy: string;
  /** Devices in the share, by state. */
  readonly devices: Readonly<Record<RolloutDeviceState, number>>;
}

/** A device in a rollout. */
export interface RolloutDeviceDocument {
  readonly device: string;
  readonly state: RolloutDeviceState;
  readonly detail?: string;
  readonly updatedAt: string;
}
