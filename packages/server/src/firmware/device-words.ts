import type { FirmwareManifest } from '@sallyport/trust/firmware';
import { z } from 'zod';

/** A device in the words of its topics. */
export interface DeviceName {
  readonly organisation: string;
  readonly type: string;
  readonly id: string;
}

/** What a device said about its firmware, in the device management protocol (watson-iot.md section 2.11). */
export type DeviceWord =
  /** It has connected and is manageable; which version it runs, if it says so. */
  | { readonly said: 'manage'; readonly reqId?: string; readonly version?: string }
  /** It answered a request of the server. */
  | { readonly said: 'response'; readonly reqId: string; readonly rc: number; readonly message?: string }
  /** It told its download state (0 idle, 1 downloading, 2 downloaded) and how its update stands (0 to 6). */
  | { readonly said: 'firmware'; readonly state?: number; readonly updateStatus?: number }
  /** It told how it started. */
  | { readonly said: 'boot'; readonly report: Readonly<Record<string, string>> }
  /** It asked for a piece of a file. */
  | {
      readonly said: 'piece';
      readonly reqId: string;
      readonly file: string;
      readonly offset: number;
      readonly length: number;
    };

const TOPIC =
  /^(?:iotdevice-1\/type\/([^/]+)\/id\/([^/]+)\/(response|notify|mgmt\/manage|mgmt\/firmware)|iot-2\/type\/([^/]+)\/id\/([^/]+)\/evt\/(boot)\/fmt\/json)$/;
const LONGEST = 16_384;
const short = z.string().max(256);
const reqId = z.string().regex(/^[A-Za-z0-9_.:-]{1,64}$/);

const SAID = {
  'mgmt/manage': z
    .object({
      reqId: reqId.optional(),
      d: z.object({ deviceInfo: z.object({ fwVersion: short.optional() }).optional() }).optional(),
    })
    .transform((sent): DeviceWord => {
      const version = sent.d?.deviceInfo?.fwVersion;
      return {
        said: 'manage',
        ...(sent.reqId === undefined ? {} : { reqId: sent.reqId }),
        ...(version === undefined ? {} : { version }),
      };
    }),
  response: z.object({ reqId, rc: z.int(), message: short.optional() }).transform(
    (sent): DeviceWord => ({
      said: 'response',
      reqId: sent.reqId,
      rc: sent.rc,
      ...(sent.message === undefined ? {} : { message: sent.message }),
    }),
  ),
  notify: z
    .object({ d: z.object({ fields: z.array(z.object({ field: z.string(), value: z.unknown() })).max(32) }) })
    .transform((sent, context): DeviceWord => {
      const field = sent.d.fields.find((one) => one.field === 'mgmt.firmware');
      const value = z.object({ state: z.int().optional(), updateStatus: z.int().optional() }).safeParse(field?.value);
      if (!value.success) {
        context.addIssue({ code: 'custom', message: 'tells nothing of firmware' });
        return z.NEVER;
      }
      const { state, updateStatus } = value.data;
      return {
        said: 'firmware',
        ...(state === undefined ? {} : { state }),
        ...(updateStatus === undefined ? {} : { updateStatus }),
      };
    }),
  boot: z
    .record(z.string().max(32), z.union([short, z.number(), z.boolean()]))
    .refine((report) => Object.keys(report).length <= 16)
    .transform(
      (report): DeviceWord => ({
        said: 'boot',
        report: Object.fromEntries(Object.entries(report).map(([key, value]) => [key, String(value)])),
      }),
    ),
  'mgmt/firmware': z
    .object({
      reqId,
      d: z.object({ file: z.string().max(256), offset: z.int().min(0), length: z.int().min(1).max(1_048_576) }),
    })
    .transform(({ reqId, d }): DeviceWord => ({ said: 'piece', reqId, ...d })),
};

/** Which device speaks in a full topic about its firmware, and how to read it; undefined for every other topic. */
export function firmwareTopic(
  topic: string,
): { readonly type: string; readonly id: string; read(payload: Uint8Array): DeviceWord | undefined } | undefined {
  const match = TOPIC.exec(topic);
  if (!match) return undefined;
  const type = match[1] ?? match[4] ?? '';
  const id = match[2] ?? match[5] ?? '';
  const schema = SAID[(match[3] ?? 'boot') as keyof typeof SAID];
  return {
    type,
    id,
    read(payload) {
      if (payload.length > LONGEST) return undefined;
      try {
        return schema.safeParse(JSON.parse(Buffer.from(payload).toString('utf8'))).data;
      } catch {
        return undefined;
      }
    },
  };
}

/** A message of the server to a device. */
export interface ServerWord {
  /** Below `iotdm-1/type/T/id/I/`. */
  readonly rest: string;
  readonly body: unknown;
}

/** Step of the dialogue, as it stands in the request id. */
export type Step = 'offer' | 'observe' | 'download' | 'update' | 'cancel';

const FIELD = [{ field: 'mgmt.firmware' }];

/** What the server says at a step of the dialogue (watson-iot.md section 2.11, firmware download and update). */
export function serverWord(step: Step, reqId: string, manifest?: FirmwareManifest, now?: number): ServerWord {
  switch (step) {
    case 'offer': {
      const value = {
        version: manifest?.version,
        name: `${manifest?.type}/${manifest?.version}.bin`,
        // A path: the device knows under which host and root it trusts the server.
        uri: `targets/${manifest?.type}/${manifest?.digest}.${manifest?.version}.bin`,
        verifier: manifest?.digest,
        state: 0,
        updateStatus: 0,
        updatedDateTime: new Date(now ?? 0).toISOString(),
      };
      return { rest: 'device/update', body: { reqId, d: { fields: [{ field: 'mgmt.firmware', value }] } } };
    }
    case 'observe':
      return { rest: 'observe', body: { reqId, d: { fields: FIELD } } };
    case 'download':
      return { rest: 'mgmt/initiate/firmware/download', body: { reqId } };
    case 'update':
      return { rest: 'mgmt/initiate/firmware/update', body: { reqId } };
    case 'cancel':
      return { rest: 'cancel', body: { reqId, d: { fields: FIELD } } };
  }
}

const STATUS_TEXTS = [
  'ok',
  'in progress',
  'out of memory',
  'connection lost',
  'verification failed',
  'unsupported image',
  'invalid address',
];

/** `updateStatus` of an image whose bytes or signatures are not right. */
export const VERIFICATION_FAILED = 4;

/** What a number of `updateStatus` means. */
export function updateStatusText(status: number): string {
  return STATUS_TEXTS[status] ?? `update status ${status}`;
}
