import assert from 'node:assert/strict';
import { test } from 'node:test';
import { comparePeaks } from '../../../scripts/soak/look.ts';

const mib = 1024 * 1024;

test('a process that goes on growing has a leak; one that keeps what it once needed has none', () => {
  assert.deepEqual(comparePeaks({ first: 400 * mib, second: 410 * mib }, 1_800), []);
  assert.deepEqual(comparePeaks({ first: 400 * mib, second: 465 * mib }, 1_800), [
    'memory: the process had up to 400.0 MB in the first half, and 465.0 MB in the second',
  ]);
  assert.deepEqual(comparePeaks({ first: 0, second: 465 * mib }, 60), [], 'so soon that says nothing');
});
