import type {
  FirmwareReleaseDocument,
  FirmwareRepositoryDocument,
  FirmwareSigningDocument,
  FirmwareUploadDocument,
  Page,
  RolloutDeviceDocument,
  RolloutDocument,
} from '@sallyport/model';
import type { Caller, PageOptions } from './caller.ts';

/** An image that was uploaded, on its way to become a release. */
export interface NewReleaseRequest {
  readonly type: string;
  readonly version: string;
  /** SHA-256, lower-case hexadecimal. */
  readonly digest: string;
  readonly size: number;
  readonly sequence?: number;
  readonly minimumSequence?: number;
  readonly renewCertificate?: boolean;
  /** The signed targets role, where it was signed away from the server. */
  readonly targets?: string;
}

/** Roles that were signed with keys that the server never sees. */
export interface OfflineFirmwareRoles {
  readonly root: string;
  readonly targets: string;
  /** Base64. */
  readonly bootloader: string;
}

/** Firmware images of an organisation. */
export function firmwareCalls(caller: Caller) {
  const base = (organisation: string) => ['organisations', organisation, 'firmware'];
  const release = (organisation: string, { type, version }: { readonly type: string; readonly version: string }) => [
    ...base(organisation),
    'releases',
    type,
    version,
  ];
  return {
    describe: (organisation: string) => caller.json<FirmwareRepositoryDocument>('GET', base(organisation)),
    initialise: (organisation: string, offline?: OfflineFirmwareRoles) =>
      caller.json<FirmwareRepositoryDocument>('POST', base(organisation), {
        body: offline === undefined ? {} : { offline },
      }),
    /** What is needed to sign away from the server. */
    signing: (organisation: string, exchange: readonly ('snapshot' | 'timestamp')[] = []) =>
      caller.json<FirmwareSigningDocument>('POST', [...base(organisation), 'signing'], { body: { exchange } }),
    /** Puts the next root role into force, as the holders of the old and the new keys have signed it. */
    replaceRoot: (
      organisation: string,
      next: { readonly root: string; readonly bootloader: string; readonly targets?: string },
    ) => caller.json<FirmwareRepositoryDocument>('PUT', [...base(organisation), 'root'], { body: next }),
    replaceTargets: (organisation: string, targets: string) =>
      caller.json<FirmwareRepositoryDocument>('PUT', [...base(organisation), 'targets'], { body: { targets } }),
    /** How many bytes of an image have arrived. */
    received: async (organisation: string, digest: string) =>
      (await caller.json<FirmwareUploadDocument>('GET', [...base(organisation), 'uploads', digest])).received,
    /** One piece of an image, at most 1 MiB. */
    upload: (
      organisation: string,
      {
        digest,
        bytes,
        ...query
      }: {
        readonly digest: string;
        readonly size: number;
        readonly offset: number;
        readonly bytes: Uint8Array<ArrayBuffer>;
      },
    ) => caller.json<FirmwareUploadDocument>('PUT', [...base(organisation), 'uploads', digest], { query, bytes }),
    list: (organisation: string) =>
      caller.json<Page<FirmwareReleaseDocument>>('GET', [...base(organisation), 'releases']),
    release: (organisation: string, body: NewReleaseRequest) =>
      caller.json<FirmwareReleaseDocument>('POST', [...base(organisation), 'releases'], { body }),
    get: (organisation: string, name: { readonly type: string; readonly version: string }) =>
      caller.json<FirmwareReleaseDocument>('GET', release(organisation, name)),
    remove: (organisation: string, name: { readonly type: string; readonly version: string }) =>
      caller.nothing('DELETE', release(organisation, name)),
  };
}

/** Releases on their way to the devices. */
export function rolloutCalls(caller: Caller) {
  const base = (organisation: string) => ['organisations', organisation, 'rollouts'];
  return {
    /** Newest first. */
    list: (organisation: string, page: PageOptions = {}) =>
      caller.json<Page<RolloutDocument>>('GET', base(organisation), { query: { ...page } }),
    start: (
      organisation: string,
      body: { readonly type: string; readonly version: string; readonly percent?: number; readonly haltAbove?: number },
    ) => caller.json<RolloutDocument>('POST', base(organisation), { body }),
    get: (organisation: string, id: string) => caller.json<RolloutDocument>('GET', [...base(organisation), id]),
    devices: (organisation: string, id: string, page: PageOptions = {}) =>
      caller.json<Page<RolloutDeviceDocument>>('GET', [...base(organisation), id, 'devices'], { query: { ...page } }),
    halt: (organisation: string, id: string) =>
      caller.json<RolloutDocument>('POST', [...base(organisation), id, 'halt']),
    /** Goes on, with a larger share if one is named. */
    resume: (organisation: string, id: string, percent?: number) =>
      caller.json<RolloutDocument>('POST', [...base(organisation), id, 'resume'], {
        body: percent === undefined ? {} : { percent },
      }),
    abort: (organisation: string, id: string) =>
      caller.json<RolloutDocument>('POST', [...base(organisation), id, 'abort']),
  };
}
