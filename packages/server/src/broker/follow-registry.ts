import type { PolicyStore } from '../authorization/policy-store.ts';
import type { RegistryChange } from '../registry/records.ts';
import type { BrokerApi } from './whole-server.ts';

/**
 * Rights follow the registry: what was changed is judged anew in every live session that it concerns, and in no other. Lists of
 * addresses have this done by themselves, when they are in force.
 */
export async function followRegistry(
  { kind, change, organisation, principal, target }: RegistryChange,
  {
    policies,
    broker,
  }: { readonly policies: Pick<PolicyStore, 'changed' | 'removed'>; readonly broker: Pick<BrokerApi, 'reconsider'> },
): Promise<void> {
  if (kind === 'list' || (change === 'created' && kind !== 'policy')) return;
  if (organisation !== undefined && kind === 'policy') await policies.changed(organisation);
  if (organisation !== undefined && kind === 'organisation' && change === 'removed') policies.removed(organisation);
  if (principal !== undefined) await broker.reconsider({ principal });
  else if (organisation !== undefined && kind === 'type') {
    await broker.reconsider({ organisation, deviceType: target.slice(`type:${organisation}/`.length) });
  } else if (organisation !== undefined) await broker.reconsider({ organisation });
}
