/** The chance that belongs to a logit. */
export function chanceOf(logit: number): number {
  return 1 / (1 + Math.exp(-logit));
}

/** The logit of a chance. ±Infinity at 1 and 0. */
export function logitOf(chance: number): number {
  return Math.log(chance / (1 - chance));
}

/** Coefficients of a logistic regression. */
export interface LogisticFit {
  intercept: number;
  weights: number[];
  /** False: the steps did not settle; the coefficients are the last ones. */
  converged: boolean;
}

/**
 * Logistic regression by iteratively reweighted least squares, with a ridge on all weights but the intercept: it maximises the log-likelihood minus
 * `ridge / 2` times the sum of squared weights. A step that makes matters worse is halved, so that no data make it diverge.
 * @param rows - one array of numbers per example, all of one length
 * @param targets - 0 to 1, one per row
 * @param ridge - 0: none, and then data in which a line separates both outcomes have no finite solution
 * @param offsets - added to the logit of each row
 * Source: le Cessie & van Houwelingen, Ridge estimators in logistic regression, 1992
 */
export function fitLogistic(rows: readonly ArrayLike<number>[], targets: ArrayLike<number>, ridge: number, offsets?: ArrayLike<number>): LogisticFit {
  const size = (rows[0]?.length ?? 0) + 1;
  const logits = (at: Float64Array) =>
    rows.map((row, index) => {
      let logit = (at[0] ?? 0) + (offsets?.[index] ?? 0);
      for (let column = 1; column < size; column += 1) logit += (at[column] ?? 0) * (row[column - 1] ?? 0);
      return logit;
    });
  const lossOf = (at: Float64Array, of: readonly number[]) =>
    of.reduce((sum, logit, index) => sum + softplus(logit) - (targets[index] ?? 0) * logit, 0) +
    (ridge / 2) * at.reduce((sum, weight, column) => (column === 0 ? sum : sum + weight * weight), 0);

  let weights = new Float64Array(size);
  let current = logits(weights);
  let loss = lossOf(weights, current);
  let converged = false;
  for (let iteration = 0; iteration < 100 && !converged; iteration += 1) {
    const step = newtonStep(rows, targets, weights, current, ridge);
    let length = 1;
    let next = weights;
    for (; length > 1e-10; length /= 2) {
      next = weights.map((weight, column) => weight + length * (step[column] ?? 0));
      const nextLogits = logits(next);
      const nextLoss = lossOf(next, nextLogits);
      if (nextLoss <= loss + 1e-12 * Math.abs(loss)) {
        [current, loss] = [nextLogits, nextLoss];
        break;
      }
    }
    if (length <= 1e-10) break;
    const largest = step.reduce((most, change) => Math.max(most, Math.abs(change)), 0);
    weights = next;
    converged = largest < 1e-10;
  }
  return { intercept: weights[0] ?? 0, weights: [...weights.subarray(1)], converged };
}

/** The step of Newton's method: the inverse of the information, times the gradient. */
function newtonStep(
  rows: readonly ArrayLike<number>[],
  targets: ArrayLike<number>,
  weights: Float64Array,
  logits: readonly number[],
  ridge: number,
): Float64Array {
  const size = weights.length;
  const information = new Float64Array(size * size);
  const gradient = new Float64Array(size);
  const extended = new Float64Array(size);
  extended[0] = 1;
  for (const [index, row] of rows.entries()) {
    const chance = chanceOf(logits[index] ?? 0);
    const variance = chance * (1 - chance);
    const residual = (targets[index] ?? 0) - chance;
    for (let column = 1; column < size; column += 1) extended[column] = row[column - 1] ?? 0;
    for (let a = 0; a < size; a += 1) {
      const value = extended[a] ?? 0;
      if (value === 0) continue;
      gradient[a] = (gradient[a] ?? 0) + residual * value;
      for (let b = 0; b <= a; b += 1) information[a * size + b] = (information[a * size + b] ?? 0) + variance * value * (extended[b] ?? 0);
    }
  }
  for (let column = 1; column < size; column += 1) {
    gradient[column] = (gradient[column] ?? 0) - ridge * (weights[column] ?? 0);
    information[column * size + column] = (information[column * size + column] ?? 0) + ridge;
  }
  return solvePositive(information, gradient);
}

/** Solve `matrix · x = right` by Cholesky. Only the lower triangle is read. A direction without information gets no step. */
function solvePositive(matrix: Float64Array, right: Float64Array): Float64Array {
  const size = right.length;
  const at = (row: number, column: number) => matrix[row * size + column] ?? 0;
  for (let row = 0; row < size; row += 1) {
    for (let column = 0; column <= row; column += 1) {
      let sum = at(row, column);
      for (let k = 0; k < column; k += 1) sum -= at(row, k) * at(column, k);
      if (row === column) matrix[row * size + row] = sum > 1e-12 ? Math.sqrt(sum) : Number.POSITIVE_INFINITY;
      else matrix[row * size + column] = sum / at(column, column);
    }
  }
  const x = Float64Array.from(right);
  for (let row = 0; row < size; row += 1) {
    let sum = x[row] ?? 0;
    for (let k = 0; k < row; k += 1) sum -= at(row, k) * (x[k] ?? 0);
    x[row] = sum / at(row, row);
  }
  for (let row = size - 1; row >= 0; row -= 1) {
    let sum = x[row] ?? 0;
    for (let k = row + 1; k < size; k += 1) sum -= at(k, row) * (x[k] ?? 0);
    x[row] = sum / at(row, row);
  }
  return x;
}

/** ln(1 + e^x), without overflow. */
const softplus = (x: number) => (x > 0 ? x + Math.log1p(Math.exp(-x)) : Math.log1p(Math.exp(x)));
