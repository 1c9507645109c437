import { Failure } from '@sallyport/model';
import type { ServerEvent } from '../events/events.ts';
import type { Installation } from '../installation.ts';
import type { RegistryChange } from '../registry/records.ts';

const PAGE = 200;

/** Gives organisations their certificate authority when they come, and ends it when they go. */
export interface OrganisationFollower {
  changed(change: RegistryChange): void;
  /** Resolves when nothing is being written any more. */
  close(): Promise<void>;
}

/**
 * Follows the organisations of the registry, beginning with those that have no authority yet. While the root key is away none can
 * be made; the first certificate of an organisation says so then.
 */
export function followOrganisations({
  registry,
  authority,
  emit,
}: Pick<Installation, 'registry' | 'authority'> & {
  readonly emit: (event: ServerEvent) => void;
}): OrganisationFollower {
  let closing = false;
  // One after the other, so that what was removed and made anew is not mixed up.
  let work: Promise<void> = Promise.resolve();
  const then = (what: string, next: () => Promise<unknown>): void => {
    work = work.then(next).then(
      () => {},
      (problem: unknown) => {
        if (problem instanceof Failure && problem.code === 'root_key_absent') return;
        emit({ type: 'defect', where: `authority of ${what}`, problem: String(problem) });
      },
    );
  };

  async function makeMissing(): Promise<void> {
    if (!(await authority.hasRootKey())) return;
    for (let after: string | undefined; ; ) {
      const page = await registry.organisations.list({ limit: PAGE, ...(after === undefined ? {} : { after }) });
      for (const { id } of page.items) {
        if (closing) return;
        await authority.issuerOf(id);
      }
      after = page.next;
      if (after === undefined) return;
    }
  }
  then('organisations', makeMissing);

  return {
    changed({ kind, change, organisation }) {
      if (kind !== 'organisation' || organisation === undefined) return;
      if (change === 'created') then(organisation, () => authority.issuerOf(organisation));
      if (change === 'removed') then(organisation, () => authority.removeOrganisation(organisation));
    },
    close() {
      closing = true;
      return work;
    },
  };
}
