// Gates: how a test and an answer wait for each other without sleeping. A gate is shut until it is opened by name; it
// then stays open. It does not matter which comes first, the answer or the release.

export class Gates {
  #opened = new Set();
  // For each gate, the calls that let go what waits there.
  #held = new Map();

  // Resolves when the gate is open; rejects when `gone` says that nobody waits for the answer any more.
  async pass(name, gone) {
    gone.throwIfAborted();
    if (this.#opened.has(name)) return;
    const held = this.#held.get(name) ?? new Set();
    this.#held.set(name, held);
    await new Promise((resolve, reject) => {
      const leave = (how) => () => {
        held.delete(go);
        how(gone.reason);
      };
      const go = leave(resolve);
      held.add(go);
      gone.addEventListener('abort', leave(reject), { once: true });
    });
  }

  // Opens a gate and says how many it let go.
  open(name) {
    this.#opened.add(name);
    const held = [...(this.#held.get(name) ?? [])];
    for (const go of held) go();
    return { released: held.length };
  }

  // The gates at which something is held now.
  waiting() {
    return [...this.#held].filter(([, held]) => held.size > 0).map(([name]) => name);
  }

  // Shuts all gates again.
  shut() {
    this.#opened.clear();
  }
}
