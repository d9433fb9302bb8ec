/** Thrown when something about the machine or the command line keeps Rekindle from starting. `message` is for the user and needs no stack. */
export class StartError extends Error {
  readonly code = 'CANNOT_START';

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StartError';
  }
}
