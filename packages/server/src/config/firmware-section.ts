import { count, duration, section, size } from './kinds.ts';

/** Images for devices: how large, how many, and how long what was signed holds. */
export const firmwareSection = section('Firmware images for devices, signed and rolled out.', {
  maximumImageSize: size({
    reached: 'The upload is refused with `request_too_large` before a byte of it is taken.',
    default: '64MiB',
    minimum: '1KiB',
    maximum: '4GiB',
    meaning: 'Size of one firmware image.',
  }),
  maximumStoredSize: size({
    reached: 'The upload is refused with `request_too_large`; remove releases that no device needs.',
    default: '2GiB',
    minimum: '1KiB',
    maximum: '1024GiB',
    meaning: 'Bytes of all images of one organisation, those that are still being uploaded included.',
  }),
  maximumUploads: count({
    reached: 'The upload is refused with `queue_full`; unfinished ones go after a day.',
    default: 8,
    minimum: 1,
    maximum: 1000,
    meaning: 'Uploads of one organisation that are under way.',
  }),
  maximumReleases: count({
    reached: 'The release is refused with `queue_full`.',
    default: 1000,
    minimum: 1,
    maximum: 10_000,
    meaning: 'Releases of one organisation; each is a row of the signed list that every device reads.',
  }),
  maximumDownloads: count({
    reached: 'The download is answered 503 with Retry-After.',
    default: 100,
    minimum: 1,
    maximum: 10_000,
    meaning: 'Downloads over HTTPS that are under way at once.',
  }),
  maximumUpdating: count({
    reached: 'The other devices of the rollout wait for their turn.',
    default: 50,
    minimum: 1,
    maximum: 100_000,
    meaning: 'Devices of one rollout that download or install at once.',
  }),
  patience: duration({
    reached: 'The device counts as failed.',
    default: '1h',
    minimum: '1s',
    maximum: '30d',
    meaning: 'How long a device of a rollout may go without a word while it downloads or installs.',
  }),
  timestampValidity: duration({
    default: '2d',
    minimum: '1h',
    maximum: '30d',
    meaning:
      'How long the newest state of a repository holds; renewed by the server when half of it is over. A device that is held back from the server notices after this time.',
  }),
  snapshotValidity: duration({
    default: '14d',
    minimum: '1h',
    maximum: '365d',
    meaning: 'How long the list of signed lists holds; renewed by the server when half of it is over.',
  }),
  targetsValidity: duration({
    default: '365d',
    minimum: '1d',
    maximum: '3650d',
    meaning: 'How long the signed list of releases holds. Renewed by the server if it holds the key.',
  }),
  rootValidity: duration({
    default: '3650d',
    minimum: '30d',
    maximum: '7300d',
    meaning: 'How long the keys of a repository hold.',
  }),
});
