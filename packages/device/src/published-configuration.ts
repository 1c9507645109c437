import { Failure } from '@sallyport/model';

/** The switches of a device program of the published samples, as its `device.conf` names them. */
export interface PublishedConfiguration {
  readonly org: string;
  readonly deviceid: string;
  readonly token: string;
  readonly isSSL: boolean;
  readonly isOTPCapableDevice: boolean;
  /** Compare the `uid` of every command. */
  readonly isUIDValidation: boolean;
  /** Keep the `uid` over a restart; else it is asked for at each start. */
  readonly isUIDStorageCapable: boolean;
  /** File for it. */
  readonly uidLocation?: string;
  readonly otpRetryCount: number;
  readonly isEncryption: boolean;
}

/**
 * Reads a `device.conf`: lines of `key=value`, flags `T` or `F`, `#` for comments. Keys that are not known are left out of account.
 *
 * @throws Failure `invalid_request` naming the key; it never quotes the token
 */
export function readPublishedConfiguration(text: string): PublishedConfiguration {
  const values = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const [, key, value] = /^\s*([A-Za-z]+)\s*[=:]\s*(.*?)\s*$/.exec(line) ?? [];
    if (key !== undefined && value !== undefined) values.set(key, value);
  }
  const needed = (key: string): string => {
    const value = values.get(key);
    if (value) return value;
    throw new Failure('invalid_request', `The configuration has no "${key}".`);
  };
  const flag = (key: string): boolean => {
    const value = values.get(key) ?? 'F';
    if (value === 'T' || value === 'F') return value === 'T';
    throw new Failure('invalid_request', `"${key}" of the configuration is neither T nor F.`);
  };
  const otpRetryCount = Number(values.get('otpRetryCount') ?? 2);
  if (!Number.isSafeInteger(otpRetryCount) || otpRetryCount < 0) {
    throw new Failure('invalid_request', '"otpRetryCount" of the configuration is no number.');
  }
  const uidLocation = values.get('uidLocation');
  return {
    org: needed('org'),
    deviceid: needed('deviceid'),
    token: needed('token'),
    isSSL: flag('isSSL'),
    isOTPCapableDevice: flag('isOTPCapableDevice'),
    isUIDValidation: flag('isUIDValidation'),
    isUIDStorageCapable: flag('isUIDStorageCapable'),
    ...(uidLocation ? { uidLocation } : {}),
    otpRetryCount,
    isEncryption: flag('isEncryption'),
  };
}
