import type { Page } from '@sallyport/model';
import type { PendingDevicesTable } from '../storage/enrolment-rows.ts';
import { type PageRequest, pageLimit, pageOf } from '../storage/page.ts';
import { notFound } from './checks.ts';
import { type DeviceName, insertWithoutCredential } from './devices.ts';
import { type Ground, mutate } from './ground.ts';
import { organisationIn } from './organisations.ts';
import type { Device, PendingDevice } from './records.ts';

/** Unknown devices whose certificate is of a trusted authority, and that wait for an operator. */
export interface PendingDevices {
  /** Notes a device, or that it came again; `full` if as many wait as may. */
  note(
    input: DeviceName & { authority: string; fingerprint: string; address: string; most: number },
  ): Promise<'noted' | 'again' | 'full'>;
  list(input: { organisation: string } & PageRequest): Promise<Page<PendingDevice>>;
  /** Registers it, without a credential: its certificate proves it. */
  approve(input: DeviceName & { by: string }): Promise<Device>;
  /** Forgets it; if it comes again it is noted again. */
  reject(input: DeviceName & { by: string }): Promise<void>;
  /** Registers an unknown device by its certificate, without an operator. */
  register(input: DeviceName & { authority: string; by: string }): Promise<Device>;
}

export function pendingDevices(ground: Ground): PendingDevices {
  const { query } = ground.database;
  const of = ({ organisation, type, id }: DeviceName) =>
    ({ organisation, type, id }) satisfies Partial<PendingDevicesTable>;
  const changeOf = ({ organisation, type, id }: DeviceName) => ({
    kind: 'pending-device' as const,
    organisation,
    principal: `device:${organisation}/${type}/${id}`,
    target: `pending-device:${organisation}/${type}/${id}`,
  });

  return {
    note: ({ most, authority, fingerprint, address, ...name }) =>
      mutate(ground, 'system', async (transaction, note) => {
        const at = ground.now();
        const { numUpdatedRows } = await transaction
          .updateTable('pending_devices')
          .set({ last_at: at, authority, fingerprint, address })
          .where((e) => e.and(of(name)))
          .executeTakeFirst();
        if (Number(numUpdatedRows) > 0) return 'again';
        const { count } = await transaction
          .selectFrom('pending_devices')
          .select((e) => e.fn.countAll<number>().as('count'))
          .where('organisation', '=', name.organisation)
          .executeTakeFirstOrThrow();
        if (Number(count) >= most) return 'full';
        const row = { ...of(name), authority, fingerprint, address, first_at: at, last_at: at };
        await transaction.insertInto('pending_devices').values(row).execute();
        note({ ...changeOf(name), change: 'created', details: { authority, fingerprint, address } });
        return 'noted';
      }),

    async list({ organisation, ...page }) {
      await organisationIn(query, organisation);
      const limit = pageLimit(page.limit);
      let select = query
        .selectFrom('pending_devices')
        .selectAll()
        .where('organisation', '=', organisation)
        .orderBy('type')
        .orderBy('id')
        .limit(limit + 1);
      if (page.after !== undefined) {
        const [type = '', id = ''] = page.after.split('/');
        select = select.where((e) => e.or([e('type', '>', type), e.and([e('type', '=', type), e('id', '>', id)])]));
      }
      return pageOf(await select.execute(), limit, pendingOf, (row) => `${row.type}/${row.id}`);
    },

    approve: (input) =>
      mutate(ground, input.by, async (transaction, note) => {
        const { numDeletedRows } = await transaction
          .deleteFrom('pending_devices')
          .where((e) => e.and(of(input)))
          .executeTakeFirst();
        if (Number(numDeletedRows) === 0) throw notFound(`A pending device ${input.type}/${input.id}`);
        return insertWithoutCredential(ground, transaction, note, input, 'certificate');
      }),

    reject: (input) =>
      mutate(ground, input.by, async (transaction, note) => {
        const { numDeletedRows } = await transaction
          .deleteFrom('pending_devices')
          .where((e) => e.and(of(input)))
          .executeTakeFirst();
        if (Number(numDeletedRows) === 0) throw notFound(`A pending device ${input.type}/${input.id}`);
        note({ ...changeOf(input), change: 'removed' });
      }),

    register: ({ authority, ...input }) =>
      mutate(ground, input.by, async (transaction, note) => {
        await transaction
          .deleteFrom('pending_devices')
          .where((e) => e.and(of(input)))
          .execute();
        return insertWithoutCredential(ground, transaction, note, input, `certificate of ${authority}`);
      }),
  };
}

function pendingOf(row: PendingDevicesTable): PendingDevice {
  return {
    organisation: row.organisation,
    type: row.type,
    id: row.id,
    authority: row.authority,
    fingerprint: row.fingerprint,
    address: row.address,
    firstAt: Number(row.first_at),
    lastAt: Number(row.last_at),
  };
}
