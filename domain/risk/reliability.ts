/** Examples whose chances are alike: what they were told, and what came of them. */
export interface ReliabilityBin {
  /** The lowest and the highest chance in it, 0 to 1. */
  from: number;
  to: number;
  /** Their mean. */
  chance: number;
  examples: number;
  lost: number;
}

const mostBins = 10;
/** With fewer, the share of the lost says next to nothing. */
const fewestInBin = 20;

/**
 * Chances beside what came of them, from the lowest to the highest, in up to ten bins of about as many examples each. Equal chances are in the same bin.
 * @param outcomes - whether each was lost, in the order of the chances
 * @returns at least one bin where there are examples
 * Source: Van Calster et al., A calibration hierarchy for risk models was defined, 2016; Niculescu-Mizil and Caruana, Predicting good probabilities, 2005
 */
export function reliabilityOf(chances: readonly number[], outcomes: readonly boolean[]): ReliabilityBin[] {
  const examples = chances.map((chance, index) => ({ chance, lost: outcomes[index] === true })).toSorted((a, b) => a.chance - b.chance);
  const wanted = Math.max(1, Math.min(mostBins, Math.floor(examples.length / fewestInBin)));
  const bins: ReliabilityBin[] = [];
  for (let begin = 0, nth = 1; begin < examples.length; nth += 1) {
    let end = Math.max(begin + 1, Math.round((nth * examples.length) / wanted));
    while (end < examples.length && examples[end]?.chance === examples[end - 1]?.chance) end += 1;
    bins.push(binOf(examples.slice(begin, end)));
    begin = end;
  }
  return bins;
}

function binOf(among: readonly { chance: number; lost: boolean }[]): ReliabilityBin {
  return {
    from: among[0]?.chance ?? 0,
    to: among.at(-1)?.chance ?? 0,
    chance: among.reduce((sum, { chance }) => sum + chance, 0) / among.length,
    examples: among.length,
    lost: among.filter(({ lost }) => lost).length,
  };
}
