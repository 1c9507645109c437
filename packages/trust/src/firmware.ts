export { bootloaderProblem, countersignBootloader, digestOf, signBootloader } from './firmware/bootloader.ts';
export {
  type FirmwareManifest,
  parseFirmwareVersion,
  parseManifest,
  sameManifest,
  storedPathOf,
  targetPathOf,
} from './firmware/manifest.ts';
export { generateRoleKey, isRoleKeyId, type RoleKey, roleKeyFromPem } from './firmware/role-key.ts';
export {
  FIRMWARE_ROLES,
  type FirmwareRole,
  type RoleHolders,
  rootMetadata,
  snapshotMetadata,
  targetsMetadata,
  timestampMetadata,
} from './firmware/role-metadata.ts';
export {
  countersignRole,
  draftRoot,
  parseDraft,
  type RootDraft,
  type RootDraftView,
  signDraft,
  viewDraft,
} from './firmware/root-draft.ts';
export { openRoleKey, sealedRoleKeyId, sealRoleKey } from './firmware/sealed-role-key.ts';
export {
  nextRoot,
  parseRoot,
  type RoleProblem,
  type RoleVerification,
  readRoot,
  readTargets,
  type VerifiedRoot,
  type VerifiedTargets,
} from './firmware/verify-role.ts';
