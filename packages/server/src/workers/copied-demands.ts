import type { PayloadDemand, PayloadDemands } from '../broker/payload-demand.ts';

/** The demands of device types, as the office has told them. */
export class CopiedDemands implements PayloadDemands {
  version = 0;
  readonly #demands: Map<string, PayloadDemand>;

  /** By organisation and type, as `demo/pump`. */
  constructor(demands: Iterable<readonly [type: string, demand: PayloadDemand]>) {
    this.#demands = new Map(demands);
  }

  of(organisation: string, type: string): PayloadDemand | undefined {
    return this.#demands.get(`${organisation}/${type}`);
  }

  set(type: string, demand: PayloadDemand | undefined): void {
    if (demand === undefined) this.#demands.delete(type);
    else this.#demands.set(type, demand);
    this.version++;
  }
}
