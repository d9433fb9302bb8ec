/** Thrown when a model that a store has brought cannot be used. `message` says what is wrong with it and what to do. */
export class OwnModelError extends Error {
  override readonly name = 'OwnModelError';
  readonly code = 'OWN_MODEL_UNUSABLE';
}
