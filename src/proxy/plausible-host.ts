/**
 * Whether a text can be a host: names go to the resolver and into log lines, where blanks and controls have no place, nor what
 * turns the direction of the text behind it.
 */
export function isPlausibleHost(host: string): boolean {
  return /^[^\p{Cc}\p{Z}\p{Bidi_Control}]+$/u.test(host);
}
