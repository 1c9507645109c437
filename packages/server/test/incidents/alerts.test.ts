import { INCIDENT_RULES, type IncidentDocument, type Severity } from '@sallyport/model';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { AlertEvent } from '../../src/events/alert-events.ts';
import { mailAlert, mqttAlert } from '../../src/incidents/alert-letters.ts';
import type { AlertLetter, AlertWay } from '../../src/incidents/alert-way.ts';
import { Alerts } from '../../src/incidents/alerts.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const SEVERITIES = Object.fromEntries(INCIDENT_RULES.map((rule) => [rule, 'medium'])) as Record<
  IncidentDocument['rule'],
  Severity
>;
const document = (id: string, more: Partial<IncidentDocument> = {}): IncidentDocument => ({
  id,
  rule: 'denials',
  subject: 'device:demo/pump/pump-7',
  organisation: 'demo',
  state: 'open',
  openedAt: '2026-01-01T00:00:00.000Z',
  lastAt: '2026-01-01T00:00:00.000Z',
  count: 1,
  timeline: [{ at: '2026-01-01T00:00:00.000Z', text: 'It was denied publish on a/b.', ticket: 'ABC123' }],
  ...more,
});

function told(more: Partial<AlertWay> = {}) {
  const letters: AlertLetter[] = [];
  const events: AlertEvent[] = [];
  const mailbox = { works: true };
  const alerts = new Alerts({
    ways: [
      {
        channel: 'mail',
        severity: 'low',
        interval: 60_000,
        send: async (letter) => {
          if (!mailbox.works) throw new Error('connection refused\r\nX: y');
          letters.push(letter);
        },
        ...more,
      },
    ],
    severities: SEVERITIES,
    find: async (id) => document(id),
    pause: 300_000,
    emit: (event) => events.push(event),
    now: () => Date.now(),
  });
  const happens = (incident: string, rule: IncidentDocument['rule'] = 'denials', by = 'system') =>
    alerts.observe({ type: 'incident.opened', incident, rule, subject: 'device:demo/pump/pump-7', by });
  return { alerts, letters, events, mailbox, happens };
}

describe('alerts', () => {
  it('come at once for the first incident, and together for those of the interval after it', async () => {
    const { letters, happens } = told();
    happens('1');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(letters.map(({ incidents }) => incidents.map(({ id }) => id))).toEqual([['1']]);
    for (const id of ['2', '3', '2', '1']) happens(id);
    await vi.advanceTimersByTimeAsync(50_000);
    expect(letters).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(letters[1]?.incidents.map(({ id }) => id)).toEqual(['2', '3', '1']);
  });

  it('are bounded in number and length, whatever happens', async () => {
    const { alerts, letters, happens } = told();
    for (let minute = 0; minute < 5; minute++) {
      for (let count = 0; count < 3_000; count++) happens(`${minute} ${count}`);
      await vi.advanceTimersByTimeAsync(60_000);
    }
    expect(letters.length).toBeLessThanOrEqual(6);
    expect(letters.every(({ incidents }) => incidents.length <= 50)).toBe(true);
    expect(letters.reduce((sum, { incidents, more }) => sum + incidents.length + more, 0)).toBe(15_000);
    expect(alerts.describe()[0]).toMatchObject({ state: 'ok', waiting: 0 });
  });

  it('leave out what is less grave than asked for, and what an operator did', async () => {
    const { letters, happens } = told({ severity: 'high' });
    happens('1');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(letters).toEqual([]);
    const other = told();
    other.happens('1', 'denials', 'operator:ann');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(other.letters).toEqual([]);
  });

  it('are sent again if they were not taken, less and less often, and nothing is lost', async () => {
    const { alerts, letters, events, mailbox, happens } = told();
    mailbox.works = false;
    happens('1');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(events).toEqual([
      { type: 'alert.failing', channel: 'mail', problem: 'connection refused X: y', failures: 1 },
    ]);
    expect(alerts.describe()).toMatchObject([{ state: 'failing', waiting: 1, problem: 'connection refused X: y' }]);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(events.map((event) => 'failures' in event && event.failures)).toEqual([1, 5]);
    happens('2');
    await vi.advanceTimersByTimeAsync(200_000);
    expect(events).toHaveLength(2);
    mailbox.works = true;
    await vi.advanceTimersByTimeAsync(100_000);
    expect(letters.map(({ incidents }) => incidents.map(({ id }) => id))).toEqual([['1', '2']]);
    expect(events.slice(2)).toEqual([
      { type: 'alert.recovered', channel: 'mail' },
      { type: 'alert.delivered', channel: 'mail', incidents: 2, more: 0 },
    ]);
    expect(alerts.describe()).toMatchObject([{ state: 'ok', waiting: 0 }]);
  });

  it('tell again what became of an incident while its letter was on the way', async () => {
    const { letters, happens } = told({
      send: (letter) => {
        letters.push(letter);
        return new Promise((resolve) => setTimeout(resolve, 5_000));
      },
    });
    happens('1');
    await vi.advanceTimersByTimeAsync(1_000);
    happens('1');
    await vi.advanceTimersByTimeAsync(70_000);
    expect(letters).toHaveLength(2);
  });

  it('are sent before the server stops, unless their way fails', async () => {
    const { alerts, letters, happens } = told();
    happens('1');
    await alerts.close();
    expect(letters).toHaveLength(1);
  });
});

describe('the letter', () => {
  it('by mail keeps what strangers wrote in its line, and out of the subject', async () => {
    const mails: { subject: string; text: string }[] = [];
    const send = mailAlert(async (mail) => void mails.push(mail), ['ann@example.com']);
    const subject = 'device:demo/pump/x\r\nBcc: eve@example.com\r\n\r\nAll is well.';
    await send({ test: false, incidents: [{ ...document('1', { subject }), severity: 'high' }], more: 2 });
    expect(mails[0]?.subject).toBe('Sallyport: 3 incidents, up to high');
    expect(mails[0]?.text).not.toMatch(/^(Bcc|All is well)/m);
    expect(mails[0]?.text).toContain('And 2 more: sallyport incident list');
  });

  it('by MQTT goes into the organisation that it is about, and nowhere if there is none', async () => {
    const published: string[] = [];
    const publish = (organisation: string, { topic }: { topic: string }) =>
      void published.push(`${organisation} ${topic}`);
    const { organisation: _, ...address } = document('2', { rule: 'guessing', subject: 'address:192.0.2.1' });
    const letter: AlertLetter = {
      test: false,
      incidents: [document('1'), address].map((one) => ({ ...one, severity: 'low' })),
      more: 0,
    };
    await mqttAlert({ publish, serverOrganisation: undefined })(letter);
    expect(published).toEqual(['demo iot-2/incident/denials']);
    await mqttAlert({ publish, serverOrganisation: 'hq' })(letter);
    expect(published.slice(1)).toEqual(['demo iot-2/incident/denials', 'hq iot-2/incident/guessing']);
  });
});
