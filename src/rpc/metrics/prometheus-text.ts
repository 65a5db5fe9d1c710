/** Prometheus' text format, in the version that every scraper takes. */
export const prometheusContentType = "text/plain; version=0.0.4; charset=utf-8";

/** What a family of series has in common. */
export interface MetricFamily {
  readonly name: string;
  readonly type: "counter" | "gauge";
  /** One line about it. */
  readonly help: string;
}

/** The two lines that stand before the series of a family, and may stand alone. */
export function formatFamily({ name, type, help }: MetricFamily): string {
  return `# HELP ${name} ${help.replaceAll(/[\\\n]/g, escapeCharacter)}\n# TYPE ${name} ${type}\n`;
}

/** The line of one series. Its labels keep their order. */
export function formatSeries(
  name: string,
  labels: Readonly<Record<string, string>>,
  value: number | bigint,
): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escapeLabel(text)}"`);
  return `${name}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${value}\n`;
}

/** A label's value as it stands between the quotes: of backslashes, quotes and line feeds, each behind a backslash. */
export function escapeLabel(text: string): string {
  return text.replaceAll(/[\\"\n]/g, escapeCharacter);
}

function escapeCharacter(character: string): string {
  return character === "\n" ? "\\n" : `\\${character}`;
}
