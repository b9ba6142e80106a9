/** How to measure servers against each other. */
export interface MeasureOptions {
  /** How often; the figures are medians of them. */
  rounds: number;
  /** How long each of the measurements lasts. */
  seconds: number;
  /** How many upgrades at a time, or calls with one frame on its way, as fast as it can be done. */
  width: number;
  /** How many calls in real time. */
  calls: number;
  /** Is told of each measurement. */
  progress: (line: string) => void;
}
