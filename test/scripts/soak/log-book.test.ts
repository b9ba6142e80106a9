import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogBook } from '../../../scripts/soak/log-book.ts';

/** A log book of two calls, the second of which sends garbage. */
function open() {
  const unexplained: string[] = [];
  const book = createLogBook({
    kindOf: (id) => ({ good: 'echo' as const, bad: 'garbage' as const })[id],
    onUnexplained: (line) => unexplained.push(line),
  });
  const write = (line: object) => book.take(JSON.stringify({ level: 'info', msg: 'some words', ...line }));
  return { book, write, unexplained };
}

test('explains what each call has, what strangers bring about, and misconduct on those that misbehave', () => {
  const { book, write, unexplained } = open();
  write({ event: 'callgate.ready' });
  write({ event: 'call.answered', correlationId: 'good' });
  write({ event: 'call.ended', correlationId: 'good', reason: 'CallDisconnected' });
  write({ event: 'call.ended', correlationId: 'bad', reason: 'its socket was closed here' });
  write({ level: 'warn', msg: 'malformed message on the media socket', correlationId: 'bad' });
  write({ level: 'warn', event: 'request.refused', reason: 'no_token' });
  write({ level: 'warn', event: 'request.refused', reason: 'no_token', suppressed: 3 });
  assert.deepEqual(unexplained, []);
  assert.equal(book.counts.get('call.ended'), 2);
  assert.equal(book.refusals.get('no_token'), 5);
  assert.equal(book.of('good')?.reason, 'CallDisconnected');
  assert.equal(book.of('good')?.counts.get('call.answered'), 1);
  book.forget('good');
  assert.equal(book.of('good'), undefined);
});

const strange: [what: string, line: object][] = [
  ['an error', { level: 'error', event: 'call.ended', correlationId: 'good', reason: 'CallDisconnected' }],
  ['an event that the load does not cause', { event: 'call.rejected', correlationId: 'good' }],
  ['a message that it does not cause', { level: 'warn', msg: 'constructor' }],
  ['a call that nobody placed', { event: 'call.answered', correlationId: 'other' }],
  ['garbage on a good call', { msg: 'malformed message on the media socket', correlationId: 'good' }],
  [
    'a bad end of a good call',
    { event: 'call.ended', correlationId: 'good', reason: 'its socket was closed here' },
  ],
  ['a refusal for a reason of nobody', { event: 'request.refused', reason: 'at_capacity' }],
  [
    'an event of ACS that is no good news',
    { event: 'call.acs_event', type: 'MediaStreamingFailed', correlationId: 'bad' },
  ],
];
for (const [what, line] of strange) {
  test(`does not explain ${what}`, () => {
    const { write, unexplained } = open();
    write(line);
    assert.equal(unexplained.length, 1);
  });
}

test('does not explain what is no line of a log', () => {
  const { book, unexplained } = open();
  book.take('Error: out of memory');
  assert.deepEqual(unexplained, ['Error: out of memory']);
});
