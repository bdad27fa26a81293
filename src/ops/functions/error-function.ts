/** Beyond it the error function is 1 in float64. */
const ONE_FROM = 6;

/**
 * The error function in float64, by a series without cancellation (Abramowitz & Stegun 7.1.6):
 * erf(x) = 2 / sqrt(pi) e^(-x^2) sum over n of 2^n x^(2n+1) / (1 * 3 * ... * (2n+1)).
 */
export function errorFunction(x: number): number {
  if (Math.abs(x) >= ONE_FROM) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > Math.abs(sum) * 2 ** -54; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}
