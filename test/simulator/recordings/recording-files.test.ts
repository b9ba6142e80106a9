import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRecordingFiles } from '../../../simulator/recordings/recording-files.ts';

test('the oldest files go first, and the latest never', () => {
  const files = createRecordingFiles({ resourceId: 'resource', maxBytes: 10 });
  const add = (size: number) => files.add({ content: Buffer.alloc(size), metadata: {} }).documentId;
  const [first, second, third] = [add(4), add(4), add(4)];
  assert.equal(files.find(first), undefined);
  assert.ok(files.find(second));
  assert.ok(files.find(third));
  const large = add(11);
  assert.deepEqual(
    [second, third, large].map((id) => files.find(id) !== undefined),
    [false, false, true],
  );
});
