import { Failure } from '@sallyport/model';
import { ANSWER_TIMEOUT, type ManagementTransport } from './transport.ts';

/** Sends with `fetch`: in a browser, which decides by itself whom it trusts and does not say why it did not. */
export function fetchTransport(send: typeof fetch): ManagementTransport {
  return {
    async send({ method, url, headers, body }) {
      let answer: Response;
      let text: string;
      try {
        answer = await send(url, {
          method,
          headers: { ...headers },
          redirect: 'error',
          credentials: 'omit',
          signal: AbortSignal.timeout(ANSWER_TIMEOUT),
          ...(body !== undefined && { body }),
        });
        text = await answer.text();
      } catch (cause) {
        throw new Failure('server_unreachable', `No answer came from ${url.host}.`, {
          cause,
          cure: 'Open the address in this browser to see whether the server runs and its certificate is trusted.',
        });
      }
      return { status: answer.status, header: (name) => answer.headers.get(name) ?? undefined, text };
    },
    close() {},
  };
}
