import type { Socket } from 'node:net';
import { PROBLEM_TYPE, problem } from './problem.ts';

/** Answers bytes that are no HTTP request, or one that came too slowly, with a problem, and closes the connection. */
export function answerMalformedHttp(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) {
    socket.destroy();
    return;
  }
  const body = bodyFor(error.code);
  const text = JSON.stringify(body);
  socket.end(
    [
      `HTTP/1.1 ${body.status} Refused`,
      `content-type: ${PROBLEM_TYPE}`,
      `content-length: ${Buffer.byteLength(text)}`,
      'connection: close',
      '',
      text,
    ].join('\r\n'),
  );
}

function bodyFor(code: string | undefined): ReturnType<typeof problem> {
  if (code === 'HPE_HEADER_OVERFLOW') {
    return problem('request_too_large', 'The headers of the request are larger than 16 KiB.');
  }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return problem('invalid_request', 'The request did not come whole in 30 seconds.');
  }
  return problem('invalid_request', 'What came is not an HTTP request.');
}
