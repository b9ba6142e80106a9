/** How to measure servers against each other. */
export interface MeasureOptions {
  /** How often; the figures are medians of them. */
  rounds: number;
  /** How long each of the measurements lasts. */
  seconds: number;
  /** How many upgrades, or calls with frames, at a time. */
  width: number;
  /** Is told of each measurement. */
  progress: (line: string) => void;
}
