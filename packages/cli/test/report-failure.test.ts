import { Failure } from '@sallyport/model';
import { CommanderError } from 'commander';
import { describe, expect, it } from 'vitest';
import { reportFailure, UsageError } from '../src/report-failure.ts';

describe('reportFailure', () => {
  it('says what happened and what to do, without a stack', () => {
    const { text, exitCode } = reportFailure(new Failure('port_taken', 'Port 8883 on 127.0.0.1 is taken.'));
    expect(text).toBe(
      'sallyport: Port 8883 on 127.0.0.1 is taken.\n' +
        '  What to do: Stop the other program, or choose another port with --mqtt-port or --http-port.',
    );
    expect(exitCode).toBe(1);
  });

  it('lists the fields that did not fit', () => {
    const failure = Object.assign(new Failure('invalid_request', 'The request does not fit.'), {
      errors: [{ path: 'body/security', problem: 'is not one of the levels' }],
    });
    expect(reportFailure(failure).text).toContain('  - security: is not one of the levels');
  });

  it('shows the stack only when asked to', () => {
    expect(reportFailure(new Error('odd')).text).not.toContain('report-failure.test');
    expect(reportFailure(new Error('odd'), true).text).toContain('report-failure.test');
  });

  it('tells wrong use from failure by the exit code', () => {
    expect(reportFailure(new UsageError('no', 'yes')).exitCode).toBe(2);
    expect(reportFailure(new CommanderError(1, 'commander.unknownOption', 'no')).exitCode).toBe(2);
    expect(reportFailure(new CommanderError(0, 'commander.helpDisplayed', 'help')).exitCode).toBe(0);
    expect(reportFailure('a bug').exitCode).toBe(1);
  });

  it('does not let the text of an error steer the terminal', () => {
    expect(reportFailure(new Failure('not_found', 'No \u001b[2J here')).text).not.toContain('\u001b');
  });
});
