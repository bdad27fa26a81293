import type { BufferAddress, Client, ExecutableAddress } from './client.ts';
import type { Queue } from './queue.ts';

/** Compiles and runs programs; those of moves are kept by their text as long as the device is open. */
export class Programs {
  private readonly client: Client;
  private readonly queue: Queue;
  private readonly kept = new Map<string, ExecutableAddress>();

  constructor(client: Client, queue: Queue) {
    this.client = client;
    this.queue = queue;
  }

  compile(text: string, device: number, about: string): Promise<ExecutableAddress> {
    return this.client.compile(text, this.client.devices[device], about);
  }

  /** Runs a program; its results may be used at once. */
  async run(
    executable: ExecutableAddress,
    inputs: readonly BufferAddress[],
    outputs: number,
    about: string,
  ): Promise<readonly BufferAddress[]> {
    const ran = await this.client.execute(executable, inputs, outputs, about);
    await this.queue.begun(this.client, ran.event, about);
    return ran.outputs;
  }

  /** Runs a program that is compiled where it is not known. */
  async once(
    text: string,
    device: number,
    inputs: readonly BufferAddress[],
    outputs: number,
    about: string,
  ): Promise<readonly BufferAddress[]> {
    const key = `${device} ${text}`;
    const executable = this.kept.get(key) ?? (await this.compile(text, device, about));
    this.kept.set(key, executable);
    return this.run(executable, inputs, outputs, about);
  }

  close(): void {
    for (const executable of this.kept.values()) this.client.freeExecutable(executable);
    this.kept.clear();
  }
}
