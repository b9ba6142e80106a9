import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDeliveries } from '../../src/calls/deliveries.ts';

test('what comes twice is told from what is new, and counted, as long as it is remembered', () => {
  const deliveries = createDeliveries({ remembered: 2 });
  const arrivals = ['a', 'b', 'a', 'c', 'b', 'a'];
  assert.deepEqual(
    arrivals.map((id) => deliveries.isNew(id)),
    [true, true, false, true, false, true],
  );
  assert.equal(deliveries.duplicates, 2);
});
