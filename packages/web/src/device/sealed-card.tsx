import type { SimulatorDocument } from '@sallyport/model';
import { Card } from '../page/card.tsx';

/** The last sealed content, side by side: what the server carries, and what it means. */
export function SealedCard({ sealed }: { readonly sealed: NonNullable<SimulatorDocument['sealed']> }) {
  return (
    <Card title="Sealed content">
      <dl className="flex flex-col gap-2 text-sm">
        <div>
          <dt className="label">As the server carries it</dt>
          <dd className="max-h-24 overflow-auto font-mono text-xs break-all">{sealed.outside}</dd>
        </div>
        <div>
          <dt className="label">As it is</dt>
          <dd className="max-h-24 overflow-auto font-mono text-xs break-all">{sealed.inside}</dd>
        </div>
      </dl>
    </Card>
  );
}
