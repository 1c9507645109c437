import type { CertificateAuthority, CertificateFacts } from '@sallyport/trust';
import { type AuthorityLine, type EndedLine, serverLine, writeSuccessor } from './authority-line.ts';
import { makeIntermediate } from './intermediate.ts';
import type { OrganisationAuthorities } from './organisation-authorities.ts';
import type { RootKey } from './root-key.ts';

const DAY = 24 * 60 * 60_000;
/** Ahead of its end by so much an authority gets its successor: what it signs never outlives it. Milliseconds. */
const SUCCEED_BEFORE = 365 * DAY;
/** The root cannot be succeeded without every client being told, so that is said earlier. */
const ROOT_BEFORE = 2 * 365 * DAY;
/** A successor that ends about when its predecessor does is none. */
const WORTH_WHILE = 30 * DAY;

/** What became of an authority that is near its end. */
export type Succession =
  | {
      readonly outcome: 'succeeded';
      readonly organisation?: string;
      readonly before: CertificateFacts;
      readonly now: CertificateFacts;
    }
  | {
      readonly outcome: 'waiting';
      readonly organisation?: string;
      readonly before: CertificateFacts;
      /** The key of the root is not here; the root ends itself too soon; it is the root. */
      readonly why: 'root_key_absent' | 'root_ends' | 'is_root';
    };

export interface SuccessionOptions {
  readonly directory: string;
  readonly root: CertificateFacts;
  readonly rootKey: RootKey;
  readonly organisations: OrganisationAuthorities;
  /** The line of the authority that issues the server's own certificate. */
  readonly server: { get(): AuthorityLine; set(line: AuthorityLine): void };
  readonly now: () => number;
}

/** Gives a successor to each authority that ends within a year, and says where that cannot be. */
export async function succeedEnding(options: SuccessionOptions): Promise<readonly Succession[]> {
  const { root, rootKey, organisations, server, now } = options;
  const made: Succession[] = [];
  if (root.notAfter - now() < ROOT_BEFORE) made.push({ outcome: 'waiting', before: root, why: 'is_root' });
  const isEnding = ({ current }: AuthorityLine): boolean => current.certificate.notAfter - now() < SUCCEED_BEFORE;
  const ending = [
    ...(isEnding(server.get()) ? [undefined] : []),
    ...[...organisations.all()].flatMap(([organisation, line]) => (isEnding(line) ? [organisation] : [])),
  ];
  if (ending.length === 0) return made;
  const isHere = await rootKey.isHere();
  for (const organisation of ending) {
    const line = organisation === undefined ? server.get() : organisations.all().get(organisation);
    if (!line) continue;
    const before = line.current.certificate;
    const whose = organisation === undefined ? {} : { organisation };
    if (root.notAfter - before.notAfter < WORTH_WHILE || !isHere) {
      made.push({ outcome: 'waiting', ...whose, before, why: isHere ? 'root_ends' : 'root_key_absent' });
      continue;
    }
    const successor =
      organisation === undefined ? await succeedServer(options) : await organisations.succeed(organisation);
    if (successor) made.push({ outcome: 'succeeded', ...whose, before, now: successor.current.certificate });
  }
  return made;
}

async function succeedServer({ directory, rootKey, server, now }: SuccessionOptions): Promise<AuthorityLine> {
  const line = await serverSuccessor({ directory, rootKey, now }, server.get());
  server.set(line);
  return line;
}

/** Puts a new authority of the server's own certificate behind those of before, in force or not. `root_key_absent` if the key is offline. */
export async function serverSuccessor(
  { directory, rootKey, now }: Pick<SuccessionOptions, 'directory' | 'rootKey' | 'now'>,
  before: AuthorityLine | EndedLine,
): Promise<AuthorityLine> {
  const { generations } = before;
  const successor = await makeIntermediate({
    root: await rootKey.open('The successor of the authority of the server'),
    name: 'intermediate',
    now: now(),
  });
  await writeSuccessor(serverLine(directory), generations, successor);
  const earlier = before.current ? [before.current, ...before.earlier] : [];
  return { current: successor, earlier, generations: generations + 1 };
}

/** Of a line those that are in force, the one that signs first. */
export function inForce({ current, earlier }: AuthorityLine, now: number): readonly CertificateAuthority[] {
  return [current, ...earlier.filter(({ certificate }) => certificate.notAfter > now)];
}
