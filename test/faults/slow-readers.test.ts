// Peers that hardly read what the app sends: what they cost it, and what others notice.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { it } from 'node:test';
import type { WebSocket } from 'ws';
import { startBesideIssuer } from '../support/process.ts';

const peers = 500;
/** The send mark. */
const waitingMib = 1;
/** The process with as many sockets (150 MiB), what it takes to hold what waits, and what V8 has not collected yet. */
const baseMib = 448;

const key = JSON.stringify({ kind: 'DtmfData', dtmfData: { data: '1' } });
const audio = JSON.stringify({ kind: 'AudioData', audioData: { data: 'AAAA' } });

/** Reads what makes room for all that waits in the app to be handed to the kernel, and not for the kernel to take it. */
function readSome(socket: WebSocket): Promise<void> {
  return new Promise((resolve) => {
    let bytes = 0;
    function read(data: Buffer) {
      bytes += data.length;
      if (bytes < 600_000) return;
      socket.off('message', read).off('close', resolve).pause();
      resolve();
    }
    socket.on('message', read).once('close', resolve).resume();
  });
}

it('500 slow readers cost no more than 500 times the send mark, and no other call notices', {
  timeout: 120_000,
}, async (t) => {
  const { child, open, said, lines, nextLine } = await startBesideIssuer(
    t,
    { MAX_CALLS: String(peers + 1) },
    'test/faults/flooding-app.ts',
  );
  async function openFor(count: number) {
    const sockets: WebSocket[] = [];
    while (sockets.length < count) sockets.push((await open()).on('error', () => {}));
    t.after(() => {
      for (const socket of sockets) socket.terminate();
    });
    return sockets;
  }
  /** How often the mark was reached, or a call ended: on a busy machine the first are closed before the last are filled. */
  const filled = () => lines.filter(({ msg, event }) => msg === 'filled' || event === 'call.ended').length;

  const [other] = await openFor(1);
  assert.ok(other);
  const slow = await openFor(peers);
  for (const socket of slow) socket.pause();
  for (const round of [1, 2]) {
    if (round > 1) await Promise.all(slow.map(readSome));
    for (const socket of slow) socket.send(key);
    while (filled() < round * peers) await nextLine();
    other.send(audio);
    const [echo] = await once(other, 'message');
    assert.match(String(echo), /AAAA/);
  }

  child.kill('SIGUSR2');
  const { peakMib } = await said('memory');
  t.diagnostic(`${peakMib} MiB at most`);
  assert.ok(Number(peakMib) < peers * waitingMib + baseMib, `${peakMib} MiB`);
});
