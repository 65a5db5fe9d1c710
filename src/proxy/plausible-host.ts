/** Whether a text can be a host: names go to the resolver and into log lines, where blanks and controls have no place. */
export function isPlausibleHost(host: string): boolean {
  return /^[^\p{Cc}\p{Z}]+$/u.test(host);
}
