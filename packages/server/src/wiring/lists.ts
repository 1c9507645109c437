import { resolve } from 'node:path';
import type { Regrounds } from '../broker/arrival.ts';
import type { JudgeLists } from '../broker/pass-lists.ts';
import type { Configuration } from '../config/schema.ts';
import type { ServerEvent } from '../events/events.ts';
import type { Installation } from '../installation.ts';
import type { RefuseAddress } from '../listeners/listener-options.ts';
import { AddressLists } from '../lists/address-lists.ts';
import { Countries } from '../lists/countries.ts';
import { SERVER_SCOPE } from '../lists/list-store.ts';

export interface ListsWiring {
  readonly lists: AddressLists;
  readonly countries: Countries;
  readonly judge: JudgeLists;
  /** Before a handshake: the lists of the server. */
  readonly refuseAddress: RefuseAddress;
  /** Lists hold for live sessions too. */
  regrounds(inner: Regrounds): Regrounds;
  close(): void;
}

export interface ListsWiringOptions {
  readonly installation: Pick<Installation, 'registry' | 'directory'>;
  readonly configuration: Configuration;
  readonly emit: (event: ServerEvent) => void;
  readonly now: () => number;
  /** Judges live sessions anew: those of an organisation, or all. */
  readonly reconsider: (match: { readonly organisation?: string }) => Promise<void>;
}

/** The lists of addresses: read from the registry, asked at every door. */
export async function openLists(options: ListsWiringOptions): Promise<ListsWiring> {
  const { installation, configuration, emit, now, reconsider } = options;
  const defect = (problem: unknown) => emit({ type: 'defect', where: 'lists of addresses', problem: String(problem) });
  const countries = new Countries({
    file: resolve(installation.directory, configuration.lists.countryFile),
    emit,
    onChange: () => void lists.countriesChanged().catch(defect),
  });
  const lists = new AddressLists({
    store: installation.registry.addressLists,
    countryOf: (address) => countries.of(address),
    now,
    onChange: (scope) => reconsider(scope === SERVER_SCOPE ? {} : { organisation: scope }),
  });
  await lists.load();
  const judge: JudgeLists = (address, organisation = SERVER_SCOPE) => lists.judge(organisation, address);
  return {
    lists,
    countries,
    judge,
    refuseAddress(address) {
      const answer = judge(address, undefined);
      if (answer.passes) return undefined;
      return { problem: answer.reason, detail: answer.step.text, cure: answer.cure };
    },
    regrounds: (inner) => (grounds, transport) => {
      const { principal } = grounds;
      if (transport !== undefined && principal.kind !== 'operator') {
        for (const scope of [undefined, principal.organisation]) {
          const answer = judge(transport.remoteAddress, scope);
          if (!answer.passes) return { ended: answer.reason, text: answer.step.text, cure: answer.cure };
        }
      }
      return inner(grounds, transport);
    },
    close() {
      lists.close();
      countries.close();
    },
  };
}
