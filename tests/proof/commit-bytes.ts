// COMMIT in the wire protocol of Postgres, for the stretches of network that lose one. It may share a packet with the statement before it.

/** Whether what a client sent ends with a COMMIT: `Q`, its length, the word, NUL. */
export function endsWithCommit(sent: Buffer): boolean {
  const last = sent.subarray(-12);
  return last[0] === 0x51 && last.toString('latin1', 5).toLowerCase() === 'commit\0';
}

/** Whether the server says in this answer that a COMMIT was carried out. */
export const saysCommitted = (answer: Buffer): boolean => answer.includes('COMMIT\0');
