/** Named signals after which something else may begin; late waiters get them too. */
export class Signals {
  readonly #waiting = new Map<string, { promise: Promise<void>; give: () => void }>();
  #of(name: string) {
    let entry = this.#waiting.get(name);
    if (entry === undefined) {
      let give: () => void = () => undefined;
      entry = { promise: new Promise<void>((resolve) => (give = resolve)), give: () => give() };
      this.#waiting.set(name, entry);
    }
    return entry;
  }
  give(name: string): void {
    this.#of(name).give();
  }
  /** Waits end after a while, because some signals never come. */
  async wait(name: string, atMostMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([this.#of(name).promise, new Promise<void>((done) => (timer = setTimeout(done, atMostMs)))]);
    clearTimeout(timer);
  }
}
