import type { Management, RefusalFilter } from '@sallyport/application/management';
import type { Refusal } from '@sallyport/model';
import { refusalText } from '../explanation-text.ts';
import type { Output } from '../output.ts';
import { printable, tableText } from '../table.ts';

export interface Who {
  readonly address?: string | undefined;
  readonly client?: string | undefined;
}

const SHOWN = 20;
const ASKED = 100;

/** Explains the newest refusal of an address or client id, and names those before it; also of clients that never reached CONNECT. */
export async function explainLatest(management: Management, output: Output, { address, client }: Who): Promise<void> {
  const filter: RefusalFilter = {
    ...(address === undefined ? {} : { address }),
    ...(client === undefined ? {} : { clientId: client }),
  };
  const { items } = await management.refusals({ ...filter, limit: ASKED });
  // A ticket that is met again keeps its place among the others.
  const refusals = [...items].sort((a, b) => b.lastAt.localeCompare(a.lastAt)).slice(0, SHOWN);
  const [newest, ...before] = refusals;
  if (!newest) {
    const who = [address, client].filter((name) => name !== undefined).join(' as ');
    output.text(`Nothing is on record that was refused to ${printable(who)}.${hint(client)}`, { refusals });
    return;
  }
  output.text([refusalText(newest), ...earlier(before)].join('\n'), { newest, refusals });
}

function hint(client: string | undefined): string {
  return client === undefined
    ? ''
    : ' A client that fails in the TLS handshake has not said its client id yet: ask by --address.';
}

const COLUMNS = [
  { heading: 'ticket', value: (row: Refusal) => row.ticket },
  { heading: 'last', value: (row: Refusal) => row.lastAt },
  { heading: 'count', value: (row: Refusal) => row.count },
  { heading: 'client', value: (row: Refusal) => row.clientId },
  { heading: 'reason', value: (row: Refusal) => row.reason },
];

function earlier(refusals: readonly Refusal[]): string[] {
  return refusals.length === 0 ? [] : ['', 'Before that:', '', tableText(refusals, COLUMNS)];
}
