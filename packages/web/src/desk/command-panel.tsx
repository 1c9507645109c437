import type { DeskDocument } from '@sallyport/model';
import { type FormEvent, type RefObject, useEffect, useState } from 'react';
import { type ActionProblem, act } from '../page/act.ts';
import { Notice } from '../page/frame.tsx';
import { CommandHistory } from './command-history.tsx';

/** Writes a command to a device, in the right manner or in a wrong one, and shows what became of those before. */
export function CommandPanel({
  desk,
  device,
  name,
}: {
  readonly desk: DeskDocument;
  readonly device: string | undefined;
  readonly name: RefObject<HTMLInputElement | null>;
}) {
  const [to, setTo] = useState('');
  const [command, setCommand] = useState('set-interval');
  const [text, setText] = useState('{"seconds":5}');
  const [manner, setManner] = useState(desk.manners[0]?.id ?? '');
  const [problem, setProblem] = useState<ActionProblem>();
  const [sending, setSending] = useState(false);
  useEffect(() => {
    if (device !== undefined) setTo(device);
  }, [device]);
  const chosen = desk.manners.find(({ id }) => id === manner);

  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault();
    const [type = '', id = ''] = to.split('/');
    setSending(true);
    setProblem(await act('send', { type, id, name: command, text, manner }));
    setSending(false);
  }

  return (
    <section className="flex flex-col gap-3" aria-labelledby="commands-title">
      <form className="card flex flex-col gap-3 p-3" onSubmit={(event) => void submit(event)}>
        <h2 id="commands-title" className="text-sm font-semibold">
          Command
        </h2>
        <label className="label">
          Device
          <input
            className="field mt-1 font-mono"
            value={to}
            onChange={(event) => setTo(event.target.value)}
            list="known-devices"
            placeholder="TYPE/ID"
            pattern="[^\/]+\/[^\/]+"
            title="TYPE/ID, for example pump/pump-7"
            required
          />
          <datalist id="known-devices">
            {desk.devices.map(({ type, id }) => (
              <option key={`${type}/${id}`} value={`${type}/${id}`} />
            ))}
          </datalist>
        </label>
        <label className="label">
          Name
          <input
            ref={name}
            className="field mt-1"
            value={command}
            onChange={(event) => setCommand(event.target.value)}
            required
          />
        </label>
        <label className="label">
          Content, as JSON or plain text
          <textarea
            className="field mt-1 font-mono"
            rows={3}
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
        </label>
        {desk.manners.length < 2 ? null : (
          <label className="label">
            Manner
            <select className="field mt-1" value={manner} onChange={(event) => setManner(event.target.value)}>
              {desk.manners.map(({ id, name: called, honest }) => (
                <option key={id} value={id}>
                  {honest ? called : `${called} (must be refused)`}
                </option>
              ))}
            </select>
          </label>
        )}
        {chosen === undefined ? null : <p className="quiet text-xs">{chosen.meaning}</p>}
        {problem === undefined ? null : <Notice {...problem} />}
        <button type="submit" className="button" disabled={sending || desk.connection.state !== 'online'}>
          Send
        </button>
      </form>
      <CommandHistory commands={desk.commands} />
    </section>
  );
}
