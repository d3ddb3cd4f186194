/** The caller asked for something that does not exist or cannot be done now. */
export class SimulatorRequestError extends Error {
  override readonly name = 'SimulatorRequestError';
}
