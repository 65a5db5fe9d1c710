import { request as httpRequest, type ClientRequest, type IncomingMessage } from "node:http";

/**
 * As much of a browser's XMLHttpRequest, over HTTP/1.1, as the `grpc-web` package uses: that knows no other way to send, and
 * is the reason for gRPC-Web's text form, since it can read nothing but text while an answer comes in.
 */
export class NodeXmlHttpRequest {
  onreadystatechange: (() => void) | null = null;
  onprogress: (() => void) | null = null;
  readyState = 0;
  status = 0;
  statusText = "";
  responseText = "";
  responseType = "";
  response = "";
  withCredentials = false;
  #request: ClientRequest | undefined;
  #answer: IncomingMessage | undefined;

  open(method: string, url: string): void {
    this.#request = httpRequest(url, { method, agent: false });
    this.#request.on("response", (answer) => {
      this.#receive(answer);
    });
    this.#request.on("error", () => {
      this.#enter(4);
    });
    this.#enter(1);
  }

  setRequestHeader(name: string, value: string): void {
    this.#request?.setHeader(name, value);
  }

  send(body?: string): void {
    this.#request?.end(body);
  }

  abort(): void {
    this.#request?.destroy();
  }

  getResponseHeader(name: string): string | null {
    const value = this.#answer?.headers[name.toLowerCase()];
    return value === undefined ? null : String(value);
  }

  getAllResponseHeaders(): string {
    const entries = Object.entries(this.#answer?.headers ?? {});
    return entries.map(([name, value]) => `${name}: ${String(value)}\r\n`).join("");
  }

  #receive(answer: IncomingMessage): void {
    this.#answer = answer;
    this.status = answer.statusCode ?? 0;
    this.statusText = answer.statusMessage ?? "";
    this.#enter(2);
    answer.setEncoding("latin1");
    answer.on("data", (text: string) => {
      this.responseText += text;
      this.response = this.responseText;
      this.#enter(3);
    });
    answer.on("end", () => {
      this.#enter(4);
    });
  }

  #enter(state: number): void {
    this.readyState = state;
    this.onreadystatechange?.();
  }
}
