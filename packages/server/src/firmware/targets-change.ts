import { Failure } from '@sallyport/model';
import {
  type FirmwareManifest,
  parseManifest,
  readTargets,
  sameManifest,
  type VerifiedTargets,
} from '@sallyport/trust/firmware';
import type { RepositoryState } from './repository-state.ts';
import type { Signer } from './signer.ts';

export interface NewRelease {
  readonly type: string;
  readonly version: string;
  readonly digest: string;
  readonly size: number;
  /** One above the last release of the type if left out. */
  readonly sequence?: number;
  /** The sequence of this release if left out: nothing older starts again. */
  readonly minimumSequence?: number;
  /** Devices that prove themselves by a certificate have a new one issued with it. */
  readonly renewCertificate?: boolean;
  /** The signed targets role that holds the release; needed where the server does not hold the keys. */
  readonly targets?: string;
}

/** The manifest of a release that is to be; `last` is the largest sequence that its type ever had. What does not fit is `invalid_request`. */
export function newManifest(input: NewRelease, last: number): FirmwareManifest {
  const { type, version, digest, size, sequence = last + 1, minimumSequence = sequence, renewCertificate } = input;
  if (sequence <= last) {
    throw new Failure('invalid_request', `sequence: the last release for ${type} has ${last}; this one needs more.`, {
      cure: 'Leave the sequence out, or choose a larger one: devices take only what is newer.',
    });
  }
  const renewal = renewCertificate ? { renewCertificate } : {};
  const read = parseManifest({ type, version, digest, size, sequence, minimumSequence, ...renewal });
  if (!read.ok) throw new Failure('invalid_request', `The release does not fit: ${read.problem}.`);
  return read.value;
}

/**
 * The next targets role with these releases: as somebody signed it elsewhere, else signed here.
 *
 * @throws Failure `invalid_request` if it holds other releases, or the server does not hold the keys; `changed_meanwhile`
 */
export async function nextTargets(
  { signer, now }: { readonly signer: Signer; readonly now: () => number },
  state: RepositoryState,
  manifests: readonly FirmwareManifest[],
  given: string | undefined,
): Promise<Uint8Array> {
  if (given !== undefined) {
    const bytes = Buffer.from(given);
    const judged = judgeTargets(state, bytes, now());
    const fits =
      judged.manifests.length === manifests.length &&
      manifests.every((one) => judged.manifests.some((other) => sameManifest(one, other)));
    if (!fits) throw new Failure('invalid_request', 'targets: it does not hold the known releases and the new one.');
    return bytes;
  }
  const keys = await signer.holds(state.root, 'targets');
  if (keys.length === 0) {
    throw new Failure('invalid_request', 'The server does not hold the keys of the role targets.', {
      cure: 'Sign where the keys are: name their folder with --keys.',
    });
  }
  return signer.targets(state.targets.version + 1, manifests, keys);
}

/** Judges a targets role that was signed elsewhere: by the root role in force, and exactly one version later. Fails as {@link nextTargets} does. */
export function judgeTargets(state: RepositoryState, bytes: Uint8Array, now: number): VerifiedTargets {
  const judged = readTargets(state.root, bytes, now);
  if (!judged.ok) throw new Failure('invalid_request', `targets: ${judged.text}.`);
  if (judged.value.version !== state.targets.version + 1) {
    throw new Failure('changed_meanwhile', `targets: version ${state.targets.version + 1} comes next.`, {
      cure: 'Read the roles in force again and sign anew.',
    });
  }
  return judged.value;
}
