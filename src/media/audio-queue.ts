/** Memory that all players share. */
export interface AudioBudget {
  readonly freeBytes: number;
  take(bytes: number): void;
  give(bytes: number): void;
}

/** @param maxBytes how much audio may wait over all calls */
export function createAudioBudget(maxBytes = 256 * 1024 * 1024): AudioBudget {
  let freeBytes = maxBytes;
  return {
    get freeBytes() {
      return freeBytes;
    },
    take(bytes) {
      freeBytes -= bytes;
    },
    give(bytes) {
      freeBytes += bytes;
    },
  };
}

/** Audio is copied in pieces of this size, so that its memory is given back while it plays. */
const blockBytes = 64 * 1024;

/** Audio that waits, as one stream of bytes, paid from the budget for as long as its memory is held. */
export function createAudioQueue(budget: AudioBudget) {
  let blocks: Uint8Array[] = [];
  /** Where in the first block the stream goes on. */
  let offset = 0;
  let bytes = 0;

  return {
    get bytes() {
      return bytes;
    },
    push(audio: Uint8Array): void {
      for (let start = 0; start < audio.length; start += blockBytes) {
        blocks.push(new Uint8Array(audio.subarray(start, start + blockBytes)));
      }
      budget.take(audio.length);
      bytes += audio.length;
    },
    /** The next `count` bytes, which must be there. */
    peek(count: number): Uint8Array {
      const first = blocks[0]?.subarray(offset, offset + count) ?? new Uint8Array();
      return first.length === count ? first : Buffer.concat([first, ...blocks.slice(1, count)], count);
    },
    drop(count: number): void {
      bytes -= count;
      offset += count;
      for (let first = blocks[0]; first && offset >= first.length; first = blocks[0]) {
        offset -= first.length;
        budget.give(first.length);
        blocks.shift();
      }
    },
    clear(): void {
      for (const block of blocks) budget.give(block.length);
      blocks = [];
      offset = 0;
      bytes = 0;
    },
  };
}
