import type { SendMail } from '../outbound/mail-server.ts';
import type { AlertedIncident, AlertLetter, AlertWay } from './alert-way.ts';

/** One mail for each letter. What strangers have written into names cannot leave its line. */
export function mailAlert(send: SendMail, to: readonly string[]): AlertWay['send'] {
  return ({ test, incidents, more }) =>
    send({ to, subject: subjectOf({ test, incidents, more }), text: test ? TEST : textOf(incidents, more) });
}

/** One request for each letter. */
export function webHookAlert(post: (content: object) => Promise<void>): AlertWay['send'] {
  return (letter) => post({ type: letter.test ? 'alert-test' : 'alert', ...letter });
}

export interface MqttAlertOptions {
  readonly publish: (organisation: string, message: { topic: string; payload: string; qos: 1 }) => void;
  /** Is told what belongs to no organisation, and tests; undefined: nobody is. */
  readonly serverOrganisation: string | undefined;
}

/**
 * One message for each incident, at `iot-2/incident/RULE` in the organisation of its subject: each organisation hears of its own. Rejects
 * a test without an organisation that it could go to.
 */
export function mqttAlert({ publish, serverOrganisation }: MqttAlertOptions): AlertWay['send'] {
  return async ({ test, incidents }) => {
    if (test && serverOrganisation === undefined)
      throw new Error('incidents.alerts.mqtt.serverOrganisation is not set: a test belongs to no organisation.');
    if (test && serverOrganisation !== undefined)
      publish(serverOrganisation, { topic: 'iot-2/incident/test', payload: '{"test":true}', qos: 1 });
    for (const incident of incidents) {
      const organisation = incident.organisation ?? serverOrganisation;
      if (organisation === undefined) continue;
      publish(organisation, {
        topic: `iot-2/incident/${incident.rule}`,
        payload: JSON.stringify(incident),
        qos: 1,
      });
    }
  };
}

const TEST = 'This is a test, asked for by an operator. Alerts of incidents come to this address.\n';

function subjectOf({ test, incidents, more }: AlertLetter): string {
  if (test) return 'Sallyport: test of alerts';
  const [first] = incidents;
  const others = incidents.length + more - 1;
  const gravest = (['high', 'medium', 'low'] as const).find((each) => incidents.some((one) => one.severity === each));
  if (first === undefined) return `Sallyport: ${more} incidents`;
  return others > 0
    ? `Sallyport: ${others + 1} incidents, up to ${gravest ?? first.severity}`
    : `Sallyport: ${first.severity} incident, ${first.rule}`;
}

function textOf(incidents: readonly AlertedIncident[], more: number): string {
  const parts = incidents.map((incident) => {
    const { id, rule, severity, subject, state, containment, count, timeline } = incident;
    return [
      `Incident ${id}: ${rule} (${severity})`,
      `  who      ${printable(subject)}`,
      `  state    ${containment ?? state}, ${count} ${count === 1 ? 'event' : 'events'}`,
      ...timeline.map(
        ({ at, text, ticket }) => `  ${at}  ${printable(text)}${ticket === undefined ? '' : ` (${ticket})`}`,
      ),
      `  sallyport incident show ${id}`,
      '',
    ].join('\n');
  });
  if (more > 0) parts.push(`And ${more} more: sallyport incident list\n`);
  return parts.join('\n');
}

function printable(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, '·');
}
